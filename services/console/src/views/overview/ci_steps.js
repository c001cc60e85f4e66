// The steps for CI, with the address of this server. deploy/ci has the action and the component that they use.

/** `text({url, stack})` returns the step; the stack has no quotes in it. */
export const VARIANTS = {
  github: {
    label: 'GitHub',
    file: 'In .github/workflows/drift.yml, with the folder deploy/ci/github copied to .github/actions/driftsentry:',
    text: ({ url, stack }) => `on:
  schedule:
    - cron: "17 3 * * *"
jobs:
  drift:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: hashicorp/setup-terraform@v3
        with:
          terraform_wrapper: false
      - uses: ./.github/actions/driftsentry
        with:
          url: ${url}
          token: \${{ secrets.DRIFTSENTRY_TOKEN }}
          stack: "${stack}"`,
  },
  gitlab: {
    label: 'GitLab',
    file: 'In .gitlab-ci.yml, with deploy/ci/gitlab/driftsentry.yml copied to templates/driftsentry.yml:',
    text: ({ url, stack }) => `include:
  - local: templates/driftsentry.yml
    inputs:
      url: ${url}
      image: registry.example.com/terraform-with-driftsentry
      stack: "${stack}"`,
  },
  scan: {
    label: 'driftsentry scan',
    file: 'Wherever terraform or tofu runs:',
    text: ({ url, stack }) => `export DRIFTSENTRY_URL=${url}
driftsentry scan --init --stack '${stack}' .`,
  },
  curl: {
    label: 'curl',
    file: 'Without any program of DriftSentry:',
    text: ({ url, stack }) => `terraform plan -refresh-only -out=plan
terraform show -json plan | curl --fail-with-body \\
  --header "Authorization: Bearer $DRIFTSENTRY_TOKEN" \\
  --header "Content-Type: application/json" --data-binary @- \\
  "${url}/api/v1/drifts/ingest?stack=${encodeURIComponent(stack)}&complete=true"`,
  },
};
