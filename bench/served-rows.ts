import type { RowName } from './rows.ts';
import type { CredentialKind } from './credentials.ts';
import type { ListenKind } from './listening.ts';
import type { PolicyFolderOptions } from './policy-folder.ts';

/** Servers that decide nothing. */
export type BareName = Extract<RowName, `bare-${string}`>;

export function isBare(name: RowName): name is BareName {
  return name.startsWith('bare-');
}

/** What `serve` is measured with, and what it is asked. */
export interface ServedRow {
  readonly transport: 'native' | 'grpc-js';
  /** Absent: TCP without TLS. */
  readonly listen?: ListenKind;
  readonly credential: CredentialKind;
  /** CEL that the rule asks for besides. */
  readonly conditions?: PolicyFolderOptions['conditions'];
  /** Absent: one policy on one host. */
  readonly policies?: { readonly hosts: number; readonly perHost: number };
  /** Absent: one. */
  readonly workers?: number;
}

/** Of the usual kind: the request, the identity, both. */
const conditions = [
  "request.method == 'GET' && request.path.startsWith('/service-')",
  "'reader' in identity.roles || 'clerk' in identity.roles",
  "identity.subject != '' && request.host.endsWith('.shop.example.com')",
];

const ten = { hosts: 1, perHost: 10 };
const tenThousand = { hosts: 1000, perHost: 10 };

/** The transport is always said, so that a row stays what it is when the default of `serve` becomes another. */
export const servedRows: Readonly<Record<Exclude<RowName, BareName>, ServedRow>> = {
  'repeated-token': { transport: 'grpc-js', credential: 'repeated' },
  'repeated-token-tls': { transport: 'grpc-js', listen: 'tls', credential: 'repeated' },
  'repeated-token-unix': { transport: 'grpc-js', listen: 'unix', credential: 'repeated' },
  'repeated-native': { transport: 'native', credential: 'repeated' },
  'repeated-native-tls': { transport: 'native', listen: 'tls', credential: 'repeated' },
  'repeated-native-unix': { transport: 'native', listen: 'unix', credential: 'repeated' },
  'rotating-native': { transport: 'native', credential: 'rotating' },
  'no-token': { transport: 'grpc-js', credential: 'none' },
  'new-tokens': { transport: 'grpc-js', credential: 'new' },
  'new-native': { transport: 'native', credential: 'new' },
  certificate: { transport: 'grpc-js', credential: 'certificate' },
  'api-key': { transport: 'grpc-js', credential: 'api-key' },
  'hmac-token': { transport: 'grpc-js', credential: 'hmac' },
  'new-hmac-tokens': { transport: 'grpc-js', credential: 'new-hmac' },
  'new-es256': { transport: 'grpc-js', credential: 'new-es256' },
  'new-es256-native': { transport: 'native', credential: 'new-es256' },
  dpop: { transport: 'grpc-js', credential: 'dpop' },
  'new-dpop': { transport: 'grpc-js', credential: 'new-dpop' },
  conditions: { transport: 'grpc-js', credential: 'repeated', conditions },
  'conditions-native': { transport: 'native', credential: 'repeated', conditions },
  'ten-policies': { transport: 'grpc-js', credential: 'repeated', policies: ten },
  'ten-policies-native': { transport: 'native', credential: 'repeated', policies: ten },
  'many-policies': { transport: 'grpc-js', credential: 'repeated', policies: tenThousand },
  'many-policies-native': { transport: 'native', credential: 'repeated', policies: tenThousand },
};
