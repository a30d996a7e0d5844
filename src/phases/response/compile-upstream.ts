import { denial, type Denial, type HeaderEntry, type UpstreamChanges } from '../../core/decision.ts';
import type { Headers } from '../../core/request.ts';
import { compileExpression } from '../../expressions/compile-expression.ts';
import type { HeaderValue } from '../../expressions/header-value.ts';
import type { Scope } from '../../expressions/scope.ts';
import type { HeaderSpec, UpstreamSpec } from '../../policy/spec.ts';
import { isHeaderValue, twinForm } from '../../std/http-headers.ts';
import { compileOnce } from '../../std/shared-values.ts';

/** The headers that only we may set: on every allow each is set or removed, in every spelling an upstream could take for it (S26). */
export interface OwnedHeaders {
  /** Lower-case names. */
  readonly names: ReadonlySet<string>;
  /** The names with `-` for `_`. */
  readonly twinForms: ReadonlySet<string>;
  /** Every name and its underscore twin. */
  readonly spellings: readonly string[];
}

export interface UpstreamInput {
  readonly headers: Headers;
  /** What the expressions see; called where there is one. */
  readonly scope: () => Scope;
  readonly owned: OwnedHeaders;
  /** What takes the client's credential off the request. */
  readonly removal: UpstreamChanges;
  /** Headers of a credential that `Keep` passes on, though a policy owns their name. */
  readonly kept: readonly string[];
}

export type UpstreamProgram = (input: UpstreamInput) => UpstreamChanges | Denial;

/** Clients send it to look as if the proxy had failed open; the proxy itself does not strip it. */
const alwaysRemoved = 'x-envoy-auth-failure-mode-allowed';

export function ownHeaders(names: Iterable<string>): OwnedHeaders {
  const own = new Set(names);
  const spellings = new Set<string>();
  for (const name of own) spellings.add(name).add(name.replaceAll('-', '_'));
  return { names: own, twinForms: new Set([...own].map(twinForm)), spellings: [...spellings] };
}

/** Compiles what a rule sends upstream: its headers, and the removal of all that a client must not say in our name. */
export const compileUpstream = compileOnce((spec: UpstreamSpec): UpstreamProgram => {
  const headers = spec.headers.map(compileHeader);
  const { spellings, twinForms: forms } = ownHeaders([...spec.removeHeaders, alwaysRemoved]);
  const base = compileBaseRemovals(spellings);
  const listRemoved = compileRemoved();
  return (input) => {
    const setHeaders: HeaderEntry[] = [];
    let scope: Scope | undefined;
    const scopeOnce = (): Scope => (scope ??= input.scope());
    for (const { name, evaluate } of headers) {
      const value = evaluate(scopeOnce);
      if (typeof value === 'object') return value;
      if (value !== '') setHeaders.push([name, value]);
    }
    const always = base(input.owned);
    for (const [name, rest] of input.removal.setHeaders) {
      // What is left of a header whose credential is taken off is the client's: it goes where only we may set it.
      const isOurs = always.has(name) && !input.kept.includes(name);
      if (!isOurs && !setHeaders.some(([set]) => set === name)) setHeaders.push([name, rest]);
    }
    const { removeHeaders, removeQueryParameters } = input.removal;
    const odd = oddSpellings(
      input.headers,
      (form) => input.owned.twinForms.has(form) || forms.has(form) || removeHeaders.includes(form),
    );
    // Names that a client has made up are not remembered.
    const removed =
      odd.length === 0
        ? listRemoved(always, removeHeaders, setHeaders, input.kept)
        : listAll(always, [...odd, ...removeHeaders], setHeaders, input.kept);
    return { setHeaders, removeHeaders: removed, removeQueryParameters };
  };
});

type ListRemoved = (
  always: ReadonlySet<string>,
  others: readonly string[],
  set: readonly HeaderEntry[],
  kept: readonly string[],
) => readonly string[];

/** What is removed: all of both but what is set or passed on. */
const listAll: ListRemoved = (always, others, set, kept) =>
  [...new Set([...always, ...others])].filter((name) => !isPassed(name, set, kept));

/**
 * The same, remembered. Most requests of a rule ask for the same as the one before, and get the same
 * list, which is encoded once.
 */
function compileRemoved(): ListRemoved {
  let last:
    { readonly always: ReadonlySet<string>; readonly others: readonly string[]; readonly passed: string } | undefined;
  let removed: readonly string[] = [];
  return (always, others, set, kept) => {
    // No name of a header holds a comma.
    let passed = kept.join();
    for (const entry of set) passed += `,${entry[0]}`;
    if (last?.always !== always || last.others !== others || last.passed !== passed) {
      removed = listAll(always, others, set, kept);
      last = { always, others, passed };
    }
    return removed;
  };
}

function isPassed(name: string, setHeaders: readonly HeaderEntry[], kept: readonly string[]): boolean {
  for (const entry of setHeaders) if (entry[0] === name) return true;
  return kept.includes(name);
}

/** The names that are removed whatever the request: computed once for each set of owned headers. */
function compileBaseRemovals(removeHeaders: readonly string[]): (owned: OwnedHeaders) => ReadonlySet<string> {
  // Policies of several namespaces may share the program, and each namespace has its own.
  return compileOnce((owned) => new Set([...owned.spellings, ...removeHeaders]));
}

/** Headers of the request that an upstream which takes `_` for `-` would read as one that is removed, in a spelling that may not be removed anyway. */
function oddSpellings(headers: Headers, isRemoved: (twinForm: string) => boolean): string[] {
  const odd: string[] = [];
  for (const name of headers.underscored) if (isRemoved(twinForm(name))) odd.push(name);
  return odd;
}

interface HeaderProgram {
  readonly name: string;
  /** The value; empty: the header is removed. */
  readonly evaluate: (scope: () => Scope) => string | Denial;
}

function compileHeader(spec: HeaderSpec): HeaderProgram {
  if ('value' in spec) return { name: spec.name, evaluate: () => spec.value };
  const expression = compileExpression(spec.expression, 'header');
  if (expression.kind === 'invalid') throw new TypeError(`unchecked expression: ${expression.why}`);
  const unsafe = denial('header_unsafe', `The value for the upstream header ${spec.name} cannot be sent.`);
  const failed = denial('header_failed', `The expression for the upstream header ${spec.name} has no value.`);
  const evaluate = (scope: () => Scope): string | Denial => {
    const seen = scope();
    const result = expression.evaluate(seen);
    if ('failure' in result) {
      seen.request.noteFailure('header');
      return result.code === 'result' ? unsafe : failed;
    }
    return toHeaderText(result.value) ?? unsafe;
  };
  return { name: spec.name, evaluate };
}

/** S25: a list is joined with commas, absent is empty; undefined for what cannot be sent. */
function toHeaderText(value: HeaderValue): string | undefined {
  if (value === undefined) return '';
  if (typeof value !== 'string' && value.some((text) => text.includes(',') || !isHeaderValue(text))) return undefined;
  const text = typeof value === 'string' ? value : value.join(',');
  return isHeaderValue(text) ? text : undefined;
}
