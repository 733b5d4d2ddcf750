"""`hack/demo`: a bank on the lab, and a world around it to take payments from and make them to.

    cli         words in, one exit code out
    steps       what is done, in order
    bank        what each step does to the one bank
    requirements, board, said, report, tries      what is decided and shown (pure)
    shipped, outside, payments                    the operator, the world outside, the customers
    kube        kubectl, and waiting with a deadline

The stories of tests/cluster stand on `kube`, `shipped` and `outside` too.
"""
