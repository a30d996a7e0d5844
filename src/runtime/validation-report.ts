import type { HostGrants } from './config/list-types.ts';
import type { Problem } from '../core/problem.ts';

/** What `portcullis validate` found. */
export interface ValidationReport {
  /** Documents of our kinds, in the order read. */
  readonly documents: readonly ValidatedDocument[];
  /** Documents of other kinds, which Portcullis does not read. */
  readonly passedOver: readonly PassedOverDocument[];
  /** Of all documents and files, sorted by place. */
  readonly problems: readonly Problem[];
}

export interface ValidatedDocument {
  /** `AccessPolicy shop/orders`. */
  readonly key: string;
  /** The file as the user named it; `-` is standard input. */
  readonly source: string;
  readonly accepted: boolean;
}

export interface PassedOverDocument {
  readonly source: string;
  /** `apps/v1 Deployment`, as far as it says. */
  readonly kind: string;
}

/**
 * Reads the documents of the files and folders (`-`: standard input) and judges them as `serve` would. Without grants nobody asks the operator
 * about hosts. Never throws for what an author wrote.
 */
export type ValidateSources = (
  paths: readonly string[],
  stdin: () => Promise<string>,
  grants?: HostGrants,
) => Promise<ValidationReport>;
