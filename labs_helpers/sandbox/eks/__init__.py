"""Amazon EKS, as far as the labs have EKS: the role of a node. Clusters are refused in words."""
