import type { ApiAnswer, ApiCall } from './api-request.ts';
import type { ClusterUser } from './cluster-files.ts';
import type { ToolRun } from './run-tool.ts';

/** The programs that `run` runs. */
export type ClusterTool = 'kubectl' | 'helm3' | 'helm4';

/**
 * A real API server with RBAC on a real etcd, on loopback. There is no controller manager and no kubelet: a namespace that is deleted
 * stays `Terminating`, nothing is collected by its owner, aggregated ClusterRoles gather no rules, Deployments have no pods.
 */
export interface Cluster {
  /** `https://127.0.0.1:PORT`; the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** The root of the API server's certificate, PEM, and the file with it. */
  readonly ca: string;
  readonly caPath: string;
  /** Where the logs `etcd.log` and `kube-apiserver.log` are; `stop` removes it. */
  readonly folder: string;
  token(user: ClusterUser): string;
  kubeconfigPath(user: ClusterUser): string;
  /** A token of the service account, which must exist, from the TokenRequest API; good for an hour where nothing else is said. */
  serviceAccountToken(account: ServiceAccount): Promise<string>;
  /** Writes a kubeconfig for a token and answers its path. */
  writeKubeconfig(name: string, token: string): Promise<string>;
  /** A request to the API as the admin, or with the token; answers whatever the status is. */
  request(call: ApiCall & { readonly token?: string | undefined }): Promise<ApiAnswer>;
  /** Each runs as the admin and answers what was written to standard output; it throws with standard error where the exit code is not 0. */
  kubectl(...args: readonly string[]): Promise<string>;
  helm3(...args: readonly string[]): Promise<string>;
  helm4(...args: readonly string[]): Promise<string>;
  /** `kubectl apply` of the text, as the admin. */
  apply(yaml: string): Promise<string>;
  /** A tool with another kubeconfig or with input; answers the exit code and never throws for it. */
  run(tool: ClusterTool, args: readonly string[], options?: RunOptions): Promise<ToolRun>;
  /** Ends the API server at once, as a crash would. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port and data, after ending it where it still runs; resolves when it is ready. */
  restartApiServer(): Promise<void>;
  /** Stops it from answering without closing a connection, until it is resumed. */
  pauseApiServer(): void;
  resumeApiServer(): void;
  /** Ends everything and removes the folder. Safe to call again. */
  stop(): Promise<void>;
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  /** Those of the API server where they are not given. */
  readonly audiences?: readonly string[];
  /** At least 600. */
  readonly seconds?: number;
}

export interface RunOptions {
  /** The admin's where it is not given. */
  readonly kubeconfig?: string | undefined;
  /** For its standard input. */
  readonly input?: string | undefined;
}
