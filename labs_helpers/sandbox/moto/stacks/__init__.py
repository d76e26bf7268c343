"""CloudFormation's stacks: the caller of CloudFormation makes each resource by a call of AWS.

moto keeps the stacks. moto's own resources are not used: moto makes them past every check, drops
properties that moto does not know, and calls the stack complete.
"""
