# Gives an image of demo-app-repo one more tag, or moves the tag:  sh tag.sh production 1.0.0
test "$2" || { echo "name two tags: the new one, and one that the image has"; exit 1; }
manifest=$(aws ecr batch-get-image --repository-name demo-app-repo --image-ids imageTag=$2 \
  --query 'images[0].imageManifest' --output text)
aws ecr batch-delete-image --repository-name demo-app-repo --image-ids imageTag=$1 > /dev/null
aws ecr put-image --repository-name demo-app-repo --image-tag $1 --image-manifest "$manifest" \
  --query image.imageId.imageTag --output text
