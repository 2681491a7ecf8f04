/** Who writes under a transactional id. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}
