/**
 * Files that a pipeline reads and writes: which may not be the same one, and which may not be replaced.
 */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { PlannedComponent } from '../engine/plan.ts'
import type { OptionProblem } from '../options/declaration.ts'

/** Why a sink, or dead letters, may not write their file. Paths name an option of the writer. */
export function fileProblems(
  writer: PlannedComponent,
  { source, others = [], directory }: FileSurroundings,
): readonly OptionProblem[] {
  const { file, replacesFile } = writer.endpoints
  if (file === undefined) return []
  const isSame = ({ endpoints: other }: PlannedComponent): boolean =>
    other.file !== undefined && realPath(other.file, directory) === realPath(file, directory)
  const problems: OptionProblem[] = []
  if (isSame(source))
    problems.push({
      path: ['path'],
      message: `Cannot write to "${file}" as the pipeline reads it`,
      suggestion: 'use another file',
    })
  else if (others.some(isSame))
    problems.push({
      path: ['path'],
      message: `Cannot write to "${file}" as another part of the pipeline writes it`,
      suggestion: 'use another file',
    })
  if (replacesFile === true && source.endpoints.joinsTransactions)
    problems.push({
      path: ['mode'],
      message: `Cannot overwrite "${file}" as source "${source.component}" commits offsets: a restart would delete what earlier runs have written`,
      suggestion: 'use mode append, or remove the file before the first run',
    })
  return problems
}

export interface FileSurroundings {
  readonly source: PlannedComponent
  /** What else writes. */
  readonly others?: readonly PlannedComponent[]
  /** Folder that paths are relative to. */
  readonly directory: string
}

function realPath(path: string, directory: string): string {
  const full = resolve(directory, path)
  try {
    return realpathSync(full)
  } catch {
    return full
  }
}
