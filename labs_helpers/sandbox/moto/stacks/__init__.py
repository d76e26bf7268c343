"""CloudFormation's stacks: resources are made by AWS calls of whoever calls CloudFormation.

moto keeps the stacks. moto's own resources are not used: moto makes them past every check, drops
properties that moto does not know, and calls the stack complete.
"""
