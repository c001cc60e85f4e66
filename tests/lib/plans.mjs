// Plans of any size, made of small resources.

const TYPES = ['aws_instance', 'aws_s3_bucket', 'aws_security_group'];
const REGIONS = ['eu-west-1', 'us-east-1', 'ap-southeast-2'];

/**
 * Returns a plan in which `count` resources differ. `version` is the actual value of those with an index below
 * `changed`, so that a second plan changes just these drifts. `at` is the time of the plan.
 */
export function planOf(count, { version = 1, changed = count, at = new Date() } = {}) {
  const resource = (index) => {
    const type = TYPES[index % TYPES.length];
    const name = `r["${String(index).padStart(5, '0')}"]`;
    const state = { id: `${type}-${index}`, region: REGIONS[index % REGIONS.length], size: 'small', tags: { n: '0' } };
    const size = `large-${index < changed ? version : 1}`;
    // Every fifth resource differs only in a tag, which is not severe.
    const actual = index % 5 === 0 ? { ...state, tags: { n: size } } : { ...state, size };
    return {
      address: `${type}.${name}`,
      mode: 'managed',
      type,
      name: 'r',
      provider_name: 'registry.terraform.io/hashicorp/aws',
      change: { actions: ['update'], before: state, after: actual, before_sensitive: {}, after_sensitive: {} },
    };
  };
  return {
    format_version: '1.2',
    terraform_version: '1.11.4',
    timestamp: at.toISOString(),
    resource_drift: Array.from({ length: count }, (_, index) => resource(index)),
  };
}
