import type { RequestOptions } from 'node:https';

/** Where the API server is, and how we show who we are. */
export interface ClusterAccess {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  /** The namespace that the configuration names: in a pod that of the service account. */
  readonly namespace: string | undefined;
  /** Credentials and TLS material as they are now. Rejects where they cannot be read. */
  read(): Promise<AccessNow>;
  /** The credentials were refused: what is kept of them is read again. Absent where nothing is kept here. */
  renew?(): void;
}

export interface AccessNow {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

export type TlsMaterial = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;
