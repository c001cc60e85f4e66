// The kinds of destinations, with the fields of their targets. The editor draws the fields from this list.

const https = (placeholder) => ({ type: 'url', placeholder, autocomplete: 'off', spellcheck: 'false', maxlength: 2000 });
const secret = { autocomplete: 'off', spellcheck: 'false', maxlength: 500, class: 'mono' };

/** `hasTemplate`: people may write the text of its messages. `isSigned`: the API gives it a secret. */
const KINDS = {
  webhook: {
    label: 'Webhook',
    about: 'Sends JSON to your own program, signed as Standard Webhooks describes.',
    isSigned: true,
    fields: [{ name: 'url', label: 'Address', input: https('https://example.com/hooks/drifts') }],
  },
  slack: {
    label: 'Slack',
    about: 'Posts to a channel through an incoming webhook of Slack.',
    hasTemplate: true,
    fields: [{ name: 'url', label: 'Webhook URL', input: https('https://hooks.slack.com/services/…') }],
  },
  slackApp: {
    label: 'Slack app',
    about: 'Posts to a channel as a bot: one thread for each drift, with buttons to approve and to reject.',
    hasTemplate: true,
    fields: [
      { name: 'botToken', label: 'Bot token', input: secret, hint: 'Such as xoxb-…, with the scope chat:write.' },
      { name: 'signingSecret', label: 'Signing secret', input: secret, hint: 'Verifies the requests of the buttons.' },
      { name: 'channel', label: 'Channel', input: { autocomplete: 'off', maxlength: 80, placeholder: 'C0123456789' } },
      { name: 'apiUrl', label: 'API address (optional)', input: https('https://slack.com/api'), isOptional: true },
    ],
  },
  teams: {
    label: 'Microsoft Teams',
    about: 'Posts a card through a workflow of Teams that starts "When a Teams webhook request is received".',
    hasTemplate: true,
    fields: [{ name: 'url', label: 'Webhook URL', input: https('https://….logic.azure.com/workflows/…') }],
  },
  pagerduty: {
    label: 'PagerDuty',
    about: 'Opens one incident for each drift, and resolves it when the drift ends. A pager gets no digests.',
    fields: [
      {
        name: 'routingKey',
        label: 'Routing key',
        input: secret,
        hint: 'The integration key of an Events API v2 integration.',
      },
      {
        name: 'url',
        label: 'API address (optional)',
        input: https('https://events.pagerduty.com/v2/enqueue'),
        isOptional: true,
        hint: 'Only for another region, such as https://events.eu.pagerduty.com/v2/enqueue.',
      },
    ],
  },
  email: {
    label: 'Mail',
    about: 'Sends a mail to each recipient.',
    hasTemplate: true,
    fields: [
      {
        name: 'to',
        label: 'Recipients',
        isList: true,
        input: { rows: 3, spellcheck: 'false', placeholder: 'ann@example.com' },
        hint: 'One in a line, at most 20.',
      },
    ],
  },
};

/** The kinds that the API accepts. */
const OFFERED = ['webhook', 'slack', 'slackApp', 'teams', 'pagerduty', 'email'];
export const KIND_OPTIONS = OFFERED.map((kind) => [kind, KINDS[kind].label]);

/** Returns the kind with this name. A kind that this console does not know has no fields. */
export const kindOf = (name) =>
  Object.hasOwn(KINDS, name) ? KINDS[name] : { label: name, about: '', fields: [] };

/** Returns the target that the values of a form describe, as the API takes it. */
export function targetOf(kind, values) {
  const target = { kind };
  for (const { name, isList, isOptional } of kindOf(kind).fields) {
    const text = (values[`target.${name}`] ?? '').trim();
    if (isList) target[name] = listIn(text);
    else if (text || !isOptional) target[name] = text;
  }
  return target;
}

/** Returns the values of a text: one in a line, or separated by commas. */
export const listIn = (text) =>
  text
    .split(/[\n,]/)
    .map((value) => value.trim())
    .filter(Boolean);
