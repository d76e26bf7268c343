# Makes what is not there yet, so it can be run again, and goes on where it was interrupted.

# the role with which ECS moves visitors
echo "the role demo-app-front"
aws iam list-roles --query 'Roles[].RoleName' --output text | tr '\t' '\n' | grep -q -x demo-app-front ||
  aws iam create-role --role-name demo-app-front --assume-role-policy-document file://trust-ecs-service.json > /dev/null
aws iam attach-role-policy --role-name demo-app-front --policy-arn arn:aws:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers

# a load balancer, and a group of tasks for each color
echo "the load balancer front"
balancer=$(aws elbv2 describe-load-balancers --query 'LoadBalancers[?LoadBalancerName==`front`].LoadBalancerArn' --output text)
subnets=$(aws ec2 describe-subnets --filters Name=default-for-az,Values=true --query 'Subnets[:2].SubnetId' --output text)
# on AWS the labs have made a security group that lets visitors in
groups=$(aws ec2 describe-security-groups --filters Name=group-name,Values=demo-app-web --query 'SecurityGroups[].GroupId' --output text)
[ "$balancer" ] || balancer=$(aws elbv2 create-load-balancer --name front --subnets $subnets ${groups:+--security-groups $groups} --query 'LoadBalancers[0].LoadBalancerArn' --output text)
vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text)
group() {
  found=$(aws elbv2 describe-target-groups --query "TargetGroups[?TargetGroupName==\`front-$1\`].TargetGroupArn" --output text)
  [ "$found" ] || found=$(aws elbv2 create-target-group --name front-$1 --protocol HTTP --port 80 --vpc-id $vpc --target-type ip --query 'TargetGroups[0].TargetGroupArn' --output text)
  echo $found
}
echo "the target groups front-blue and front-green"
blue=$(group blue)
green=$(group green)

# visitors of port 80 meet blue; the service may change this rule
echo "the listener on port 80"
listener=$(aws elbv2 describe-listeners --load-balancer-arn $balancer --query 'Listeners[?Port==`80`].ListenerArn' --output text)
[ "$listener" ] || listener=$(aws elbv2 create-listener --load-balancer-arn $balancer --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn=$blue --query 'Listeners[0].ListenerArn' --output text)
rule=$(aws elbv2 describe-rules --listener-arn $listener --query 'Rules[0].RuleArn' --output text)
sed "s|BLUE|$blue|; s|GREEN|$green|; s|RULE|$rule|" front.json > my-front.json && echo "all is there; my-front.json names it"
