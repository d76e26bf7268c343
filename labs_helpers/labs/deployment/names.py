"""What labs 10, 12 and 14, and the colleague in the ticket of lab 10, call things."""

CLUSTER, WEB, SHOP = "demo", "web", "shop"
FAMILY = "demo-app"
RELEASE, SHOPS_RELEASE = "1.1.0", "1.0.0"
ROLE, SHOPS_ROLE = "demo-app-execution", "shop-execution"
FRONT, FRONTS_ROLE, NODES_ROLE = "front", "demo-app-front", "demo-app-node"
ROLES = (ROLE, SHOPS_ROLE, FRONTS_ROLE, NODES_ROLE)
BALANCER, TARGET_GROUPS = "front", ("front-blue", "front-green")
