"""Whether the stored channel backup is of the channels that there are (pure)."""

from bankstack.clients.lnd.answers import Channels
from bankstack.engine.objects import digest
from bankstack.kinds.lndnode.facts import Facts


def channel_digest(channels: Channels) -> str:
    """Changes when the set of channels does."""
    return digest(sorted(channels.to_back_up))


def is_current(facts: Facts, channels: Channels) -> bool:
    """Whether every channel, and nothing that is none, is in it."""
    # Without channels there is nothing to restore, and the backups of former ones are kept as they are.
    if not channels.to_back_up:
        return True
    return facts.backup is not None and facts.backup.intact and facts.backup.channels == channel_digest(channels)
