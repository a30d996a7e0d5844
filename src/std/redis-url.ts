/** Where a Redis is. */
export interface RedisAddress {
  readonly isTls: boolean;
  /** A name or an address; that of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly database: number;
}

/**
 * Reads `redis://HOST:PORT/DATABASE` or, for TLS, `rediss://…`; without them the port is 6379 and the database 0. Undefined for another form,
 * and for one that holds a user or a password.
 */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  const [, scheme, bracketed, plain, port = '6379', database = '0'] =
    /^(rediss?):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?(?:\/(\d{1,4})?)?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { isTls: scheme === 'rediss', host, port: Number(port), database: Number(database) };
}

/** `rediss://redis.example:6379/0` */
export function formatRedisUrl({ isTls, host, port, database }: RedisAddress): string {
  return `${isTls ? 'rediss' : 'redis'}://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}
