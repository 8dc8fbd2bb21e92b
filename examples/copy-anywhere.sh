#!/usr/bin/env bash
# Copies an image from one registry to another from any CI or terminal: Jenkins, CircleCI, a cron job.
# The tokens are variables; for ECR set ECR_TOKEN=$(aws ecr get-login-password). No login, nothing to log out of.
set -euo pipefail

: "${GHCR_USER:?}" "${GHCR_TOKEN:?}" "${ECR_TOKEN:?}" "${VERSION:?}"

cat >registries.yaml <<END
- registry: ghcr.io
  username: $GHCR_USER
  password-env: GHCR_TOKEN
- registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com
  username: AWS
  password-env: ECR_TOKEN
END

registry-config run --registries registries.yaml --retries 3 --timeout 10m --shell bash -e VERSION -- '
    crane copy "ghcr.io/org/app:$VERSION" "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:$VERSION"
    crane digest "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:$VERSION" | tee copied.txt
'
