"""What a bank on the lab stands on, for `hack/demo` and for the stories.

shipped, outside    what acts: the operator, the world outside
kube                kubectl, and waiting with a deadline
"""
