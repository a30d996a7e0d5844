/** A mistake of an author in a document, with its place. Collected, never thrown. */
export interface Problem {
  /** Stable and kebab-case, such as `unknown-field`; docs/errors.md lists them all. */
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  /** One sentence: what is wrong and, where it can be said, the remedy. Never holds a secret. */
  readonly message: string;
  /** Where in the document, as a field path: `spec.rules[0].access`; empty for the whole document. */
  readonly field: string;
  readonly place: Place;
  /** The key of the document that does not exist, where that is the mistake: `IdentityProvider shop/okta`. */
  readonly reference?: string;
  /** The key of the document that has the mistake, where the place does not lead to it: in a text that was piped in. */
  readonly document?: string;
}

/** A place in a source of documents. */
export interface Place {
  /** The file as the user named it, or `Kind namespace/name` where there is no file. */
  readonly source: string;
  /** From 1; undefined where the source has no lines. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

/** What an author can get wrong. */
export const problemCodes = {
  'not-yaml': 'The file is not well-formed YAML.',
  'unreadable-file': 'The file or folder cannot be read.',
  'not-a-document': 'The YAML document is not an object with apiVersion, kind and metadata.name.',
  'unknown-version': 'The document is of our API group but of a version or kind this version does not know.',
  'unknown-field': 'The object has a field that the contract does not have, a misspelling perhaps.',
  'missing-field': 'A required field is missing.',
  'invalid-value': 'A value is not of the form that the field takes.',
  'too-large': 'A list, a string or the document is larger than allowed.',
  unread: 'A large document of a cluster that has not been read yet; its requests are denied until it is.',
  unsupported: 'The field or value is part of the contract, but this version does not build it yet.',
  'duplicate-name': 'Two things that must have different names have the same one.',
  'duplicate-document': 'Two documents of one kind have the same namespace and name.',
  'missing-reference': 'The document refers to another one that does not exist.',
  'invalid-reference': 'The document refers to another one that was refused.',
  'ambiguous-provider': 'Two providers of one policy could claim the same credential.',
  'missing-provider': 'A rule needs an identity and no provider is named.',
  'host-conflict': 'Two namespaces claim the same host.',
  'host-not-granted': 'The operator has not granted the host to the namespace of the policy.',
  'match-never': 'The match can never match a request.',
  'invalid-expression': 'The expression is not one that Portcullis can evaluate.',
  'forbidden-header': 'A policy may not set or remove this header.',
  // Legal, and hardly meant: always warnings.
  'rule-unreachable': 'The rule never decides, because stricter ones of the policy always do.',
  'rule-shadowed':
    'An earlier rule of the policy matches all that the rule matches: its upstream and response are never used.',
  'deny-never': 'The Denied rule can never hit a request.',
  'deny-covered': 'The Denied rule denies only what another one denies.',
  'public-below-protected': 'A Public rule opens a part of a prefix that another rule of the policy protects.',
  'public-keeps-credential': 'A Public rule passes on a credential that nobody verified.',
  'provider-not-named': 'Several providers could vouch, and the rule tests roles or subjects without saying whose.',
  'kubernetes-user-missing':
    'The rule asks what Kubernetes allows the caller, and none of its providers knows which user of Kubernetes that is.',
  'caller-chooses-rule':
    'A query parameter selects the rule and a header another one of the same path: the caller chooses which decides.',
  'unusable-reference': 'A provider refers to a Secret or ConfigMap that is there, and cannot use what it finds in it.',
  'secret-refused': 'A Secret of a client that the provider selects cannot be used.',
  'cleartext-keys':
    'The keys, or what the issuer says of tokens, come over http from outside: who sits on the way can forge tokens.',
  'believed-names':
    'A proxy is believed about a name of a client certificate that it may not know well enough, or that may be forged.',
  'shadow-wider-decides': 'The policy is in shadow mode, and a wider one decides in its place.',
  'shadow-not-judged': 'More policies are in shadow mode on the host or route than are judged, and this one is not.',
  'host-widens': 'A wildcard host makes Public what another policy of the namespace protects.',
  'yaml-boolean': 'A word that is not quoted is a text here, and a boolean for kubectl, which reads YAML 1.1.',
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** True where at least one Problem makes the document unusable. */
export function hasError(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}

/**
 * One line for people: `file:line:column: error: message [code]`; of a text that was piped in with the document:
 * `-:line:column: AccessPolicy shop/orders: error: message [code]`.
 */
export function formatProblem(problem: Problem): string {
  const { source, line, column } = problem.place;
  const place = line === undefined ? source : `${source}:${line}:${column ?? 1}`;
  const document = problem.document === undefined ? '' : `${problem.document}: `;
  return `${place}: ${document}${problem.severity}: ${problem.message} [${problem.code}]`;
}
