/** What tests use of the package, which brings no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export class Provider {
    constructor(issuer: string, configuration: object);
    /** Its answer to every request below the issuer. */
    readonly callback: () => RequestListener;
  }
}
