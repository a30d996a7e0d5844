import type {
  Clock,
  HttpClient,
  IdentityEvents,
  KubernetesReviews,
  Logger,
  PasswordChecker,
  Random,
  Timers,
} from '../../core/ports.ts';
import type { Dpop } from './dpop/dpop.ts';
import type { IdentitySettings } from './identity-settings.ts';
import type { TokenCache } from './jwt/token-cache.ts';

/** What providers need from outside. */
export interface IdentityPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly http: HttpClient;
  readonly passwords: PasswordChecker;
  readonly logger: Logger;
  readonly events: IdentityEvents;
  readonly settings: IdentitySettings;
  /** Shared by all providers, so that one bound holds for the process. */
  readonly tokens: TokenCache;
  readonly dpop: Dpop;
  /** Undefined where there is no cluster to ask. */
  readonly reviews?: KubernetesReviews | undefined;
}
