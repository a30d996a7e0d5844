import type { Place, Problem } from '../../core/problem.ts';
import { namedPlace } from './given-value.ts';
import { settings, type Config, type SettingKey } from './settings.ts';

/** Settings of Redis that cannot do what they were written for. */
export function judgeRedisSettings(
  config: Config,
  chosen: ReadonlyMap<SettingKey, { readonly origin: Place | undefined }>,
): readonly Problem[] {
  const { redisUrl, redisPasswordFile, redisCaFile, redisUsername } = config;
  const problems: Problem[] = [];
  const tell = (severity: Problem['severity'], key: SettingKey, message: string): void => {
    const place = chosen.get(key)?.origin ?? namedPlace(settings[key].flag);
    problems.push({
      code: severity === 'error' ? 'missing-field' : 'invalid-value',
      severity,
      message,
      field: key,
      place,
    });
  };
  const given: readonly SettingKey[] = [
    ...(redisUsername === '' ? [] : ['redisUsername' as const]),
    ...(redisPasswordFile === undefined ? [] : ['redisPasswordFile' as const]),
    ...(redisCaFile === undefined ? [] : ['redisCaFile' as const]),
  ];
  if (redisUrl === undefined) {
    for (const key of given) tell('error', key, `${key} needs redisUrl: without it there is no Redis.`);
    return problems;
  }
  if (redisCaFile !== undefined && !redisUrl.isTls)
    tell('error', 'redisCaFile', 'redisCaFile needs a redisUrl of rediss://: without TLS there is no certificate.');
  if (redisUsername !== '' && redisPasswordFile === undefined)
    tell('error', 'redisUsername', 'redisUsername needs redisPasswordFile: a user without a password is not sent.');
  if (!redisUrl.isTls && redisPasswordFile !== undefined && !isLoopback(redisUrl.host))
    tell(
      'warning',
      'redisUrl',
      'redisUrl is without TLS: the password and what is remembered pass the network in clear.',
    );
  return problems;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
