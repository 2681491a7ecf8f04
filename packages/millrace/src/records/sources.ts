/**
 * What a row was made of. A row that a stage narrowed down or changed is still the record that is stored for it. A row that was made
 * of several records, or laid out again, says so by `Batch.sources`, which is asked only when something went wrong: nothing is kept
 * per row. May import nothing of ours; `B` is `Batch`, which has the names that others use.
 */

/** A record as it was read: topic, partition, offset, key, value and headers are those of the source. */
export interface SourceIn<B> {
  readonly batch: B
  readonly row: number
}

/** The records behind the stored records of a batch. */
export interface SourcesIn<B> {
  /** @param record index of a stored record, see `Batch.recordOf` @returns at least one, in the order in which they were read */
  of(record: number): readonly SourceIn<B>[]
  /** Where a row may hold parts of several records, such as a list of their documents: all of these. */
  readonly parts?: (() => readonly SourceIn<B>[]) | undefined
}

/** Where the digits are of numbers that the documents of a batch have as doubles. */
export interface DigitsIn<B> {
  /** Whether numbers of a row may have digits that its document does not have. Cheap, as it is asked of every row that is written. */
  mayDiffer(batch: B, row: number): boolean
  /** The document of a row as it was decoded, with all digits; undefined where there is none. */
  exact(batch: B, row: number): unknown
}

interface Made<B> {
  readonly sources: SourcesIn<B> | undefined
  recordOf(row: number): number
}

/** The records that a row was made of, through all stages; at least one. */
export function sourcesOf<B extends Made<B>>(batch: B, row: number): readonly SourceIn<B>[] {
  const { sources } = batch
  if (sources === undefined) return [{ batch, row }]
  return sources.of(batch.recordOf(row)).flatMap((source) => sourcesOf(source.batch, source.row))
}
