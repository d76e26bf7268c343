# Gives an image of demo-app-repo one more tag, or moves the tag:  sh tag.sh production 1.0.0
test "$2" || { echo "name two tags: the new one, and one that the image has"; exit 1; }
found() { aws ecr batch-get-image --repository-name demo-app-repo --image-ids imageTag=$1 --query "images[0].$2" --output text; }
manifest=$(found $2 imageManifest) || exit
test "$manifest" != None || { echo "no image of demo-app-repo has the tag $2: nothing was changed"; exit 1; }
if [ "$1" != "$2" ] && [ "$(found $1 imageId.imageDigest)" = "$(found $2 imageId.imageDigest)" ]; then
  # the image has the tag already, and put-image would refuse: the tag is given anew
  aws ecr batch-delete-image --repository-name demo-app-repo --image-ids imageTag=$1 > /dev/null
fi
aws ecr put-image --repository-name demo-app-repo --image-tag $1 --image-manifest "$manifest" \
  --query image.imageId.imageTag --output text
