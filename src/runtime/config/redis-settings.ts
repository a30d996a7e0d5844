import { duration, keyPrefix, optionalFile, optionalRedisUrl, optionalUserName } from './setting-types.ts';

/** The rows of the group Redis. */
export const redisSettings = {
  redisUrl: {
    group: 'Redis',
    flag: '--redis-url',
    env: 'PORTCULLIS_REDIS_URL',
    type: optionalRedisUrl(),
    default: { value: undefined },
    description:
      'Redis (6.2 or newer) or Valkey that replicas share what they must remember through: redis://HOST:PORT/DATABASE, or rediss:// for TLS. Without it each process remembers for itself.',
  },
  redisUsername: {
    group: 'Redis',
    flag: '--redis-username',
    env: 'PORTCULLIS_REDIS_USERNAME',
    type: optionalUserName(),
    default: { value: '' },
    description: 'The user that Redis knows Portcullis as. Without it: the default user.',
  },
  redisPasswordFile: {
    group: 'Redis',
    flag: '--redis-password-file',
    env: 'PORTCULLIS_REDIS_PASSWORD_FILE',
    type: optionalFile(),
    default: { value: undefined },
    description: 'File that holds the password for Redis, and nothing else. It is read for every connection.',
  },
  redisCaFile: {
    group: 'Redis',
    flag: '--redis-ca-file',
    env: 'PORTCULLIS_REDIS_CA_FILE',
    type: optionalFile(),
    default: { value: undefined },
    description:
      "PEM file of the issuers that are trusted for the certificate of Redis, instead of the system's. It is read for every connection.",
  },
  redisKeyPrefix: {
    group: 'Redis',
    flag: '--redis-key-prefix',
    env: 'PORTCULLIS_REDIS_KEY_PREFIX',
    type: keyPrefix(),
    default: { value: 'portcullis:' },
    description: 'What every key and channel begins with. Replicas that are to share have the same.',
  },
  redisTimeout: {
    group: 'Redis',
    flag: '--redis-timeout',
    env: 'PORTCULLIS_REDIS_TIMEOUT',
    type: duration('10ms', '10s'),
    default: { value: 500 },
    description:
      'How long one command may take; after it what asked for it is denied with 503. Connecting may take twice as long.',
  },
} as const;
