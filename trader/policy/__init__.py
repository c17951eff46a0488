"""Policy: five YAML files become one checked form, and that becomes the core's parameters.

Nothing is imported here: a cycle whose policy is known by its hash loads neither yaml nor pydantic.
"""
