"""What LND is asked in one look, and what of its answers is believed. Nothing here changes LND.

All that does not depend on another answer is asked at once: while payments make LND slow,
each question in turn is a third of a second that its restart takes longer.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from bankstack.clients.lnd.answers import Announced, Channels, Closure, Funds, Info, Permission, State, Transaction
from bankstack.clients.lnd.client import Lightning
from bankstack.engine.conditions import moment
from bankstack.engine.finding import Interrupted, Stalled, Unknown
from bankstack.kinds.lndnode import macaroons, stages
from bankstack.kinds.lndnode.facts import NOT_ASKED, Refused
from bankstack.kinds.lndnode.subject import LndNode

#: LND says what it holds; it serves others only in the second of these.
ANSWERING: Final = (State.RPC_ACTIVE, State.SERVER_ACTIVE)
#: One look at LND lasts no longer, but on a machine that is hopelessly busy.
LOOK: Final = timedelta(seconds=5)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Answers:
    """What LND said in one visit."""

    state: State | Unknown
    info: Info | Refused | Unknown
    funds: Funds | Unknown = NOT_ASKED
    channels: Channels | Unknown = NOT_ASKED
    recovering: bool | Unknown = NOT_ASKED
    announced: Announced | Unknown = NOT_ASKED
    sent_msat: int | Unknown = NOT_ASKED
    closures: tuple[Closure, ...] | Unknown = NOT_ASKED
    transactions: tuple[Transaction, ...] | Unknown = NOT_ASKED


@dataclass(frozen=True)
class _ForAPlan:
    """What is asked for the sake of a plan alone."""

    announced: Announced | Refused | Unknown
    recovering: bool | Refused | Unknown
    sent: int | Refused | Unknown


@dataclass(frozen=True)
class Visit:
    """One look at LND. `stored`: the channels that the node's backup has; `root`: the key of the macaroons for it."""

    node: LndNode
    lnd: Lightning
    stored: frozenset[str]
    root: bytes

    async def answers(self) -> Answers:
        """All that may be asked of an LND that is as far as it is."""
        if self.node.status.state not in ANSWERING:
            state = await _answer(self.lnd.state())
            if state not in ANSWERING:
                # Not asked what it cannot answer while it opens its wallet: it has enough to do.
                return _so_far(state, NOT_ASKED, NOT_ASKED, NOT_ASKED)
        return await self._all()

    async def _all(self) -> Answers:
        # Side by side with its state, which says whether the others are answers.
        state, info, holdings, more = await asyncio.gather(
            _answer(self.lnd.state()),
            _answer(self.lnd.info(self._macaroon)),
            _answer(self.lnd.funds_and_channels(self._macaroon)),
            self._for_a_plan(),
        )
        funds, channels = (holdings, holdings) if isinstance(holdings, Unknown | Refused) else holdings
        known = _so_far(state, info, _known(funds), _known(channels))
        if more is None or not isinstance(known.channels, Channels):
            return known
        announced = await self._announced(more.announced, known.channels.public)
        told = replace(
            known,
            announced=_known(announced),
            recovering=_known(more.recovering),
            sent_msat=_known(more.sent),
        )
        return await self._with_what_left(told, known.channels)

    async def _for_a_plan(self) -> _ForAPlan | None:
        """What only a plan's steps need: it costs LND one question per channel, of those that the backup has."""
        if self.node.plan is None and self.node.status.traffic is None:
            return None
        announced, recovering, sent = await asyncio.gather(
            self._told_of(self.stored), _answer(self.lnd.is_recovering(self._macaroon)), self._sent()
        )
        return _ForAPlan(announced, recovering, sent)

    async def _announced(
        self, told: Announced | Refused | Unknown, public: frozenset[str]
    ) -> Announced | Refused | Unknown:
        """What the network is told of the public ones, of those among them too that no backup has yet."""
        late = public - self.stored
        other = await self._told_of(late) if late else Announced()
        if not isinstance(told, Announced) or not isinstance(other, Announced):
            return other if isinstance(told, Announced) else told
        return Announced((told.enabled | other.enabled) & public, (told.disabled | other.disabled) & public)

    async def _told_of(self, outpoints: frozenset[str]) -> Announced | Refused | Unknown:
        me = self.node.status.identity_pubkey or ""
        return await _answer(self.lnd.announced(self._macaroon, me, outpoints))

    async def _sent(self) -> int | Refused | Unknown:
        """What LND paid out since its plan took down what it has, in msat; not asked once that was looked into."""
        if stages.step(self.node) == stages.ENABLE:
            return NOT_ASKED
        if recorded := stages.kept(self.node, stages.RECORD, stages.AT):
            # Taken down at the end of a look: what ended while that look was under way may not be in it.
            return await _answer(self.lnd.sent_msat(self._macaroon, moment(recorded) - LOOK))
        drained = stages.kept(self.node, stages.DRAIN, stages.AT)
        return await _answer(self.lnd.sent_msat(self._macaroon, moment(drained))) if drained else NOT_ASKED

    async def _with_what_left(self, known: Answers, channels: Channels) -> Answers:
        """How channels ended that are not there any more; of a node that is being replaced, where its coins went."""
        step, height = stages.step(self.node), stages.kept(self.node, stages.DRAIN, stages.HEIGHT)
        gone = self.stored - channels.to_back_up - channels.closing
        if gone and step == stages.RECONCILE:
            return replace(known, closures=_known(await _answer(self.lnd.closures(self._macaroon))))
        if height is None or step not in stages.LEAVING:
            return known
        closures, transactions = await asyncio.gather(
            _answer(self.lnd.closures(self._macaroon)), _answer(self.lnd.transactions(self._macaroon, int(height)))
        )
        return replace(known, closures=_known(closures), transactions=_known(transactions))

    @property
    def _macaroon(self) -> bytes:
        return macaroon(self.root)


async def without_a_seed(lnd: Lightning) -> Answers:
    """What an LND says to whom it does not know."""
    mute = Unknown("without the seed in the wallet Secret LND cannot be asked")
    return _so_far(await _answer(lnd.state()), mute, mute, mute)


def _so_far(
    state: State | Refused | Unknown,
    info: Info | Refused | Unknown,
    funds: Funds | Unknown,
    channels: Channels | Unknown,
) -> Answers:
    """What of it is believed: of an LND that is not as far as to answer, only how far it is."""
    reached = _known(state)
    if reached in ANSWERING:
        return Answers(reached, info, funds, channels)
    early = reached if isinstance(reached, Unknown) else Unknown(f"LND is {reached}")
    return Answers(reached, early, early, early)


def macaroon(root: bytes, permissions: Iterable[Permission] = macaroons.OBSERVE) -> bytes:
    """One that allows just this, for a minute."""
    nonce = secrets.token_bytes(macaroons.NONCE_BYTES)
    return macaroons.bake(root, permissions, nonce, datetime.now(UTC) + macaroons.LIFE)


async def _answer(question: Awaitable[Answer]) -> Answer | Refused | Unknown:
    try:
        return await question
    except Interrupted as stop:
        told = stop.finding.message
        return Refused(told) if isinstance(stop.finding.policy, Stalled) else Unknown(told)


def _known(answer: Answer | Refused | Unknown) -> Answer | Unknown:
    """Where a refusal tells no more than silence."""
    return Unknown(answer.reason) if isinstance(answer, Refused) else answer
