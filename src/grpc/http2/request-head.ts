import type { FieldSink } from '../hpack/decoder.ts';
import type { HeaderField } from '../hpack/header-field.ts';
import { maxHeaderListBytes } from './limits.ts';

/** What a gRPC server looks at in a request's header list. */
export interface RequestHead {
  readonly method: string;
  /** Empty for CONNECT. */
  readonly path: string;
  readonly contentType: string | undefined;
  readonly contentLength: number | undefined;
  readonly grpcTimeout: string | undefined;
  readonly grpcEncoding: string | undefined;
}

/** `malformed`: against RFC 9113 section 8; `too-large`: above what we said that we take. */
export type HeadProblem = 'malformed' | 'too-large';

/**
 * Reads one list after the other: `begin`, the fields, `finish`. What is wrong ends no reading, for the fields that follow may go into the dynamic table. A
 * class: it is told every field, and what it has seen so far is hidden state.
 */
export class HeadReader implements FieldSink {
  #isTrailers = false;
  #bytes = 0;
  #isMalformed = false;
  #hasRegularField = false;
  #method: string | undefined;
  #scheme: string | undefined;
  #path: string | undefined;
  #authority: string | undefined;
  #contentType: string | undefined;
  #contentLength: string | undefined;
  #grpcTimeout: string | undefined;
  #grpcEncoding: string | undefined;

  begin(kind: 'request' | 'trailers'): void {
    this.#isTrailers = kind === 'trailers';
    this.#bytes = 0;
    this.#isMalformed = false;
    this.#hasRegularField = false;
    this.#method = undefined;
    this.#scheme = undefined;
    this.#path = undefined;
    this.#authority = undefined;
    this.#contentType = undefined;
    this.#contentLength = undefined;
    this.#grpcTimeout = undefined;
    this.#grpcEncoding = undefined;
  }

  field(field: HeaderField): void {
    this.#bytes += field.size;
    // What is too large is not kept.
    if (this.#bytes > maxHeaderListBytes) return;
    if (field.isMalformed) this.#isMalformed = true;
    const { role, value } = field;
    switch (role) {
      case 'method':
        this.#method = this.#pseudo(this.#method, value);
        return;
      case 'scheme':
        this.#scheme = this.#pseudo(this.#scheme, value);
        return;
      case 'path':
        this.#path = this.#pseudo(this.#path, value);
        return;
      case 'authority':
        this.#authority = this.#pseudo(this.#authority, value);
        return;
      case 'content-type':
        this.#contentType = value;
        break;
      case 'content-length':
        if (!/^\d{1,15}$/u.test(value)) this.#isMalformed = true;
        if ((this.#contentLength ?? value) !== value) this.#isMalformed = true;
        this.#contentLength = value;
        break;
      case 'grpc-timeout':
        this.#grpcTimeout = value;
        break;
      case 'grpc-encoding':
        this.#grpcEncoding = value;
        break;
      case 'other':
        break;
    }
    this.#hasRegularField = true;
  }

  /** Of trailers only the problem counts. */
  finish(): RequestHead | HeadProblem {
    if (this.#bytes > maxHeaderListBytes) return 'too-large';
    if (this.#isMalformed || !(this.#isTrailers || this.#hasPseudoFields())) return 'malformed';
    return {
      method: this.#method ?? '',
      path: this.#path ?? '',
      contentType: this.#contentType,
      contentLength: this.#contentLength === undefined ? undefined : Number(this.#contentLength),
      grpcTimeout: this.#grpcTimeout,
      grpcEncoding: this.#grpcEncoding,
    };
  }

  /** Each at most once, before all others, and none in trailers (section 8.3). */
  #pseudo(before: string | undefined, value: string): string {
    if (this.#isTrailers || this.#hasRegularField || before !== undefined) this.#isMalformed = true;
    return value;
  }

  /** Section 8.3.1, and 8.5 for CONNECT. */
  #hasPseudoFields(): boolean {
    if (this.#method === 'CONNECT') {
      return this.#authority !== undefined && this.#path === undefined && this.#scheme === undefined;
    }
    return this.#method !== undefined && this.#scheme !== undefined && this.#path !== undefined && this.#path !== '';
  }
}
