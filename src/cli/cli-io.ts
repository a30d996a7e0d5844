import type { Environment } from '../runtime/config/read-environment.ts';
import type { AskService } from '../runtime/check-report.ts';
import type { Explain } from '../runtime/explanation.ts';
import type { TestPolicies } from '../runtime/policy-test-report.ts';
import type { ProcessPort } from '../runtime/process-signals.ts';
import type { RevokeTokens } from '../runtime/revocation-report.ts';
import type { StartService } from '../runtime/running-service.ts';
import type { InspectToken } from '../runtime/token-report.ts';
import type { ValidateSources } from '../runtime/validation-report.ts';

/** The world as a command sees it. */
export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** All of standard input. */
  stdin(): Promise<string>;
  readonly env: Environment;
  readonly process: ProcessPort;
}

/** What commands do, each loaded only when it is asked for. The demonstration is handed in because the command line may not know it. */
export interface CommandRegistry {
  startService(): Promise<StartService>;
  validateSources(): Promise<ValidateSources>;
  testPolicies(): Promise<TestPolicies>;
  askService(): Promise<AskService>;
  inspectToken(): Promise<InspectToken>;
  explain(): Promise<Explain>;
  revokeTokens(): Promise<RevokeTokens>;
  runDev(): Promise<RunDev>;
}

/** Answers the exit code. */
export type RunDev = (options: DevOptions, io: DevIo) => Promise<number>;

export interface DevOptions {
  /** End after the sample requests. */
  readonly once: boolean;
  /** False: no proxy, plain gRPC Check calls. */
  readonly envoy: boolean;
  /** The port that Envoy listens on; 0: any that is free. */
  readonly port: number;
}

export interface DevIo {
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
  readonly environment: Environment;
  /** Aborted when the user has enough. */
  readonly signal: AbortSignal;
}
