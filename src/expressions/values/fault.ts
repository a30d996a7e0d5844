/**
 * Why an evaluation has no value. A value that is passed on, never thrown: `||`, `&&` and the quantifiers may do without it.
 * The text names what the policy's author wrote, never what a request holds.
 */
export class Fault {
  readonly code: FaultCode;
  readonly why: string;

  constructor(code: FaultCode, why: string) {
    this.code = code;
    this.why = why;
  }
}

/**
 * `absent`: a key, claim, header or element is not there. `limit`: more work or a larger value than allowed. `result`: the value is not
 * one that its place takes. `value`: anything else.
 */
export type FaultCode = 'absent' | 'limit' | 'result' | 'value';
