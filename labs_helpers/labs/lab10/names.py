"""What lab 10 and the colleague in its ticket call things."""

CLUSTER, WEB, SHOP = "demo", "web", "shop"
FAMILY = "demo-app"
RELEASE, SHOPS_RELEASE = "1.1.0", "1.0.0"
ROLE, SHOPS_ROLE = "demo-app-execution", "shop-execution"
ROLES = (ROLE, SHOPS_ROLE, "demo-app-front", "demo-app-node")
BALANCER, TARGET_GROUPS = "front", ("front-blue", "front-green")
