import { denial, type Denial } from '../core/decision.ts';
import type { Request } from '../core/request.ts';
import type { MatchSpec } from '../policy/spec.ts';

/** Whether a request has the headers and parameters that a match names; a Denial where one of them is there twice (S13). */
export type MatchConditions = (request: Request) => boolean | Denial;

/** Compiles the header and query conditions of a match; undefined where it has none. */
export function compileMatchConditions({ headers, queryParams }: MatchSpec): MatchConditions | undefined {
  const tests = [
    ...headers.map(({ name, value }) => compileHeader(name, value)),
    ...queryParams.map(({ name, value }) => compileParameter(name, value)),
  ];
  if (tests.length === 0) return undefined;
  return (request) => {
    let fits = true;
    for (const test of tests) {
      const result = test(request);
      if (typeof result !== 'boolean') return result;
      fits &&= result;
    }
    return fits;
  };
}

function compileHeader(name: string, value: string): MatchConditions {
  const twice = denial('header_duplicated', `The header ${name} is there twice.`);
  return ({ headers }) => {
    const found = headers.get(name);
    if (found === undefined) return false;
    if (headers.count(name) > 1) return twice;
    if (found === value) return true;
    // A proxy may have joined two fields: where one of them is the value, nobody can say which one the service takes.
    return found.includes(',') && holdsAmong(found, value) ? twice : false;
  };
}

function compileParameter(name: string, value: string): MatchConditions {
  const twice = denial('parameter_duplicated', `The query parameter ${name} is there twice, or in another spelling.`);
  return ({ query }) => {
    const values = query.getAll(name);
    if (values.length > 1 || query.hasEncodedSpelling(name)) return twice;
    return values[0] === value;
  };
}

/** Whether a joined field holds the value as one of its parts, or as a run of them where the value has commas itself. */
function holdsAmong(joined: string, value: string): boolean {
  const normal = (text: string): string =>
    `,${text
      .split(',')
      .map((part) => part.trim())
      .join(',')},`;
  return normal(joined).includes(normal(value));
}
