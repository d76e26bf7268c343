# Does nothing where the load balancer is there already.
aws elbv2 describe-load-balancers --names front --query 'LoadBalancers[].LoadBalancerName' --output text 2> /dev/null && exit

# the role with which ECS moves visitors
aws iam create-role --role-name demo-app-front --assume-role-policy-document file://trust-ecs-service.json --query Role.RoleName --output text
aws iam attach-role-policy --role-name demo-app-front --policy-arn arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers

# a load balancer, and a group of tasks for each color
subnets=$(aws ec2 describe-subnets --filters Name=default-for-az,Values=true --query 'Subnets[:2].SubnetId' --output text)
vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text)
balancer=$(aws elbv2 create-load-balancer --name front --subnets $subnets --query 'LoadBalancers[0].LoadBalancerArn' --output text)
blue=$(aws elbv2 create-target-group --name front-blue --protocol HTTP --port 80 --vpc-id $vpc --target-type ip --query 'TargetGroups[0].TargetGroupArn' --output text)
green=$(aws elbv2 create-target-group --name front-green --protocol HTTP --port 80 --vpc-id $vpc --target-type ip --query 'TargetGroups[0].TargetGroupArn' --output text)

# visitors of port 80 meet blue; the service may change this rule
listener=$(aws elbv2 create-listener --load-balancer-arn $balancer --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn=$blue --query 'Listeners[0].ListenerArn' --output text)
rule=$(aws elbv2 describe-rules --listener-arn $listener --query 'Rules[0].RuleArn' --output text)
sed "s|BLUE|$blue|; s|GREEN|$green|; s|RULE|$rule|" front.json > my-front.json
