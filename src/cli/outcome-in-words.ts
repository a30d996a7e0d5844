/** What answers with 200 in the service's place is no denial for who reads of it. */
export function outcomeInWords(status: number | undefined): 'ANSWERED' | 'DENIED' {
  return status === 200 ? 'ANSWERED' : 'DENIED';
}
