/** Writes that the API server has answered, by what was written: `PATCH accesspolicies/status`. */
export type Writes = Readonly<Record<string, number>>;

const line = /^apiserver_request_total\{(.*)\} (\S+)$/;
const writing: ReadonlySet<string | undefined> = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);

/** Reads the API server's metrics page. Leases are left out: they say again and again that somebody lives. */
export function readWrites(page: string): Writes {
  const writes: Record<string, number> = {};
  for (const text of page.split('\n')) {
    const [, labels = '', count = '0'] = line.exec(text) ?? [];
    const label = (name: string): string | undefined => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1];
    const [verb, resource, subresource] = [label('verb'), label('resource'), label('subresource')];
    if (!writing.has(verb) || resource === undefined || resource === 'leases') continue;
    const what = `${verb} ${resource}${subresource === undefined || subresource === '' ? '' : `/${subresource}`}`;
    writes[what] = (writes[what] ?? 0) + Number(count);
  }
  return writes;
}

/** What was written between two pages. */
export function writesBetween(before: Writes, after: Writes): Writes {
  const news = Object.entries(after).map(([what, count]) => [what, count - (before[what] ?? 0)] as const);
  return Object.fromEntries(news.filter(([, count]) => count > 0));
}
