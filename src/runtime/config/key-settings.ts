import { cidrs } from './list-types.ts';
import { duration, onOff, optionalFile, wholeNumber } from './setting-types.ts';

/** The settings of the group Keys and tokens. */
export const keySettings = {
  keyRefreshInterval: {
    group: 'Keys and tokens',
    flag: '--key-refresh-interval',
    env: 'PORTCULLIS_KEY_REFRESH_INTERVAL',
    type: duration('10s', '24h'),
    default: { value: 600_000 },
    description:
      'How often the keys of an issuer are fetched again in the background. A withdrawn key is refused after at most this long.',
  },
  keyStaleWindow: {
    group: 'Keys and tokens',
    flag: '--key-stale-window',
    env: 'PORTCULLIS_KEY_STALE_WINDOW',
    type: duration('10s', '720h'),
    default: { value: 86_400_000 },
    description: 'How long keys stay in use while they cannot be fetched; after it their tokens are denied with 503.',
  },
  keyFetchTimeout: {
    group: 'Keys and tokens',
    flag: '--key-fetch-timeout',
    env: 'PORTCULLIS_KEY_FETCH_TIMEOUT',
    type: duration('100ms', '1m'),
    default: { value: 5000 },
    description: 'How long one fetch of discovery data or keys may take, from the connection to the last byte.',
  },
  keyLoadTimeout: {
    group: 'Keys and tokens',
    flag: '--key-load-timeout',
    env: 'PORTCULLIS_KEY_LOAD_TIMEOUT',
    type: duration('0s', '5m'),
    default: { value: 10_000 },
    description: 'How long readiness waits at the start for the first keys of every issuer.',
  },
  tokenCacheEntries: {
    group: 'Keys and tokens',
    flag: '--token-cache-entries',
    env: 'PORTCULLIS_TOKEN_CACHE_ENTRIES',
    type: wholeNumber(0, 1_000_000),
    default: { value: 10_000 },
    description:
      'How many verified tokens are remembered, until they end or keys change. 0: every token is verified every time.',
  },
  dpopReplayEntries: {
    group: 'Keys and tokens',
    flag: '--dpop-replay-entries',
    env: 'PORTCULLIS_DPOP_REPLAY_ENTRIES',
    type: wholeNumber(1000, 10_000_000),
    default: { value: 200_000 },
    description:
      'How many used DPoP proofs are remembered in memory, some 6 minutes each and some 150 bytes; where that many are, further ones are denied with 503. The default is enough for 550 proofs a second.',
  },
  dpopNonceKeyFile: {
    group: 'Keys and tokens',
    flag: '--dpop-nonce-key-file',
    env: 'PORTCULLIS_DPOP_NONCE_KEY_FILE',
    type: optionalFile(),
    default: { value: undefined },
    description:
      "File with at least 32 random bytes that DPoP nonces are made with, read at the start. Replicas with one file take each other's nonces; without it each process takes its own alone.",
  },
  tokenReviewTtl: {
    group: 'Keys and tokens',
    flag: '--token-review-ttl',
    env: 'PORTCULLIS_TOKEN_REVIEW_TTL',
    type: duration('0s', '60s'),
    default: { value: 30_000 },
    description:
      "How long the API server's word on a token of a service account is taken, never beyond the token's end. The token of a pod or an account that is deleted is good for as long. 0s: it is asked with every request.",
  },
  allowPrivateAddresses: {
    group: 'Keys and tokens',
    flag: '--allow-private-addresses',
    env: 'PORTCULLIS_ALLOW_PRIVATE_ADDRESSES',
    type: onOff(),
    default: { value: false },
    description:
      'Lets keys be fetched from private and loopback addresses. Then whoever writes a provider can make Portcullis call into your network: prefer allowedPrivateAddresses. Link-local addresses are never called.',
  },
  allowedPrivateAddresses: {
    group: 'Keys and tokens',
    flag: '--allowed-private-address',
    env: 'PORTCULLIS_ALLOWED_PRIVATE_ADDRESSES',
    type: cidrs(),
    default: { value: [] },
    description:
      'Private ranges that issuers may have addresses in: keys are fetched and tokens asked about there too.',
  },
} as const;
