/**
 * Who may import whom under `packages/millrace/src`: downwards only, and nobody at the same level except where `beside` says so.
 *
 * docs/architecture.md has the same table for readers. The linter enforces it (`oxlint.config.ts`), and a test makes sure that
 * every file and folder of `src` has its row.
 */

export interface Layer {
  /** A folder of `src`, or a file with its suffix. */
  name: string
  level: 0 | 1 | 2 | 3 | 4 | 5
  /** Rows of the same level that this one may import. */
  beside?: readonly string[]
}

export const LAYERS: readonly Layer[] = [
  { name: 'errors', level: 0 },
  { name: 'records', level: 0, beside: ['errors'] },
  { name: 'contracts', level: 1, beside: ['options', 'metrics'] },
  { name: 'options', level: 1 },
  { name: 'metrics', level: 1 },
  { name: 'resilience', level: 1 },
  { name: 'telemetry', level: 1, beside: ['metrics'] },
  { name: 'protocol', level: 1 },
  { name: 'security', level: 1, beside: ['options', 'resilience'] },
  { name: 'events', level: 2 },
  { name: 'kafka', level: 2 },
  { name: 'schema-registry', level: 2 },
  { name: 'sources', level: 3 },
  { name: 'codecs', level: 3 },
  { name: 'stages', level: 3 },
  { name: 'sinks', level: 3 },
  { name: 'functions', level: 3, beside: ['sources', 'codecs', 'stages', 'sinks'] },
  { name: 'engine', level: 3 },
  { name: 'broker', level: 3 },
  { name: 'catalog.ts', level: 4 },
  { name: 'dialects', level: 4, beside: ['catalog.ts'] },
  { name: 'serve', level: 4 },
  { name: 'library', level: 5 },
  { name: 'materialize', level: 5 },
  { name: 'cli', level: 5, beside: ['materialize'] },
  { name: 'index.ts', level: 5, beside: ['library'] },
]

/** The rows that one row must not import. */
export function forbiddenTo(layer: Layer): readonly Layer[] {
  return LAYERS.filter(
    ({ name, level }) => name !== layer.name && level >= layer.level && layer.beside?.includes(name) !== true,
  )
}
