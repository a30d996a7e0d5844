import type { RevocationScope } from '../../../core/revocation.ts';
import type { SpecName } from '../../../policy/spec-name.ts';

/** A scope as the tables know it. */
export function scopeKey({ issuer, namespace, provider }: RevocationScope): string {
  if (provider !== '') return `provider ${provider}`;
  return namespace === '' ? `issuer ${issuer}` : `namespace ${namespace} ${issuer}`;
}

/** The namespace to whose providers alone a scope extends; empty where it extends further. */
export function ownerOf({ namespace, provider }: RevocationScope): string {
  if (provider === '') return namespace;
  return provider.includes('/') ? provider.slice(0, provider.indexOf('/')) : '';
}

/** The scopes that an identity of the provider stands in; of one without an issuer the provider's own alone. */
export function scopesOf({ namespace, name }: SpecName, issuer: string): readonly string[] {
  const own = scopeKey({ issuer: '', namespace: '', provider: namespace === '' ? name : `${namespace}/${name}` });
  if (issuer === '') return [own];
  const ofIssuer = scopeKey({ issuer, namespace: '', provider: '' });
  return namespace === '' ? [own, ofIssuer] : [own, ofIssuer, scopeKey({ issuer, namespace, provider: '' })];
}
