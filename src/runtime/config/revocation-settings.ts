import { optionalObjectRef } from './object-ref.ts';
import { choice, duration, optionalFile, wholeNumber } from './setting-types.ts';

/** The settings of what is revoked; rows of the table in settings.ts, whose types they take there. */
export const revocationSettings = {
  revocationsConfigMap: {
    group: 'Revocations',
    flag: '--revocations-config-map',
    env: 'PORTCULLIS_REVOCATIONS_CONFIG_MAP',
    type: optionalObjectRef(),
    default: { value: undefined },
    description:
      'ConfigMap whose values list what is revoked, watched for changes: a JSON object a line, or a JSON array. With policies of a cluster. While it cannot be read, revocationsUnavailable says what becomes of credentials.',
  },
  revocationsFile: {
    group: 'Revocations',
    flag: '--revocations-file',
    env: 'PORTCULLIS_REVOCATIONS_FILE',
    type: optionalFile(),
    default: { value: undefined },
    description: 'File that lists what is revoked, in the form of revocationsConfigMap, watched for changes.',
  },
  revocationsUnavailable: {
    group: 'Revocations',
    flag: '--revocations-unavailable',
    env: 'PORTCULLIS_REVOCATIONS_UNAVAILABLE',
    type: choice('Deny', 'Ignore'),
    default: { value: 'Deny' },
    description:
      'What becomes of credentials while a list of revocations cannot be read: denied with 503, or judged by what is known of it.',
  },
  revocationsGrace: {
    group: 'Revocations',
    flag: '--revocations-grace',
    env: 'PORTCULLIS_REVOCATIONS_GRACE',
    type: duration('0s', '24h'),
    default: { value: 300_000 },
    description:
      'How long a list of revocations that was read may go unread (an outage of the API server or of the shared store) before it counts as one that cannot be read.',
  },
  revocationRetention: {
    group: 'Revocations',
    flag: '--revocation-retention',
    env: 'PORTCULLIS_REVOCATION_RETENTION',
    type: duration('1m', '8760h'),
    default: { value: 172_800_000 },
    description:
      'How long a revocation is kept that does not say when its tokens end: at least as long as the longest token lives.',
  },
  revocationEntries: {
    group: 'Revocations',
    flag: '--revocation-entries',
    env: 'PORTCULLIS_REVOCATION_ENTRIES',
    type: wholeNumber(100, 5_000_000),
    default: { value: 100_000 },
    description:
      'How many revocations each source may have; of what issuers report, one namespace a quarter at most. An issuer that reports more gets every token up to that moment revoked instead; the admin call is refused; a list with more counts as one that cannot be read.',
  },
  signalRetention: {
    group: 'Revocations',
    flag: '--signal-retention',
    env: 'PORTCULLIS_SIGNAL_RETENTION',
    type: duration('1m', '87600h'),
    default: { value: 2_592_000_000 },
    description:
      'How long what an issuer signals of somebody holds (a risk level, say), where it signals nothing else. A disabled account is so until it is enabled.',
  },
  adminTokenFile: {
    group: 'Revocations',
    flag: '--admin-token-file',
    env: 'PORTCULLIS_ADMIN_TOKEN_FILE',
    type: optionalFile(),
    default: { value: undefined },
    description:
      'File with the token that the admin call POST /revocations asks for, read at each call. Without it that call is refused.',
  },
} as const;
