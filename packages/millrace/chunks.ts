/**
 * Which source files of `src/` share a file of `dist/`.
 *
 * There are a few ways into the package, such as importing the library or linting a file; a way loads certain source files as a whole.
 * All files that lie on the same ways share a chunk, so each way opens a handful of files, and reads nothing of which it has no use.
 * Without this, the bundler also counts each part that is loaded on demand as a way, and the library came in a hundred files.
 *
 * - Chunks never import one another in a circle: what a file imports lies on all ways that the file lies on, and maybe on others.
 * - What the library loads on demand is a way, too. A chunk that loads a part and is imported by it would be a circle of another
 *   kind, for which bundlers of programs keep both, used or not.
 */
import { join } from 'node:path'
import type { CodeSplittingGroup, Plugin, PluginContext } from 'rolldown'

/** Name of a way, and the source files with which it begins; each way loads what these import, directly or indirectly. */
export type Ways = { readonly library: readonly string[]; readonly [name: string]: readonly string[] }

/** Name of the way of what the library loads on demand. */
const ON_DEMAND = 'parts'

/**
 * @param folder that of the source files
 * @returns a plugin that finds out what lies on which ways, and the groups for `codeSplitting`
 */
export function chunksByWay(
  folder: string,
  ways: Ways,
): { readonly plugin: Plugin; readonly groups: CodeSplittingGroup[] } {
  const waysOf = new Map<string, string>()
  const add = (way: string, ids: Iterable<string>): void => {
    for (const id of ids) waysOf.set(id, waysOf.has(id) ? `${waysOf.get(id)}-${way}` : way)
  }
  const plugin: Plugin = {
    name: 'chunks-by-way',
    buildEnd(error) {
      if (error !== undefined) return
      for (const [way, files] of Object.entries(ways)) {
        const beginnings = files.map((file) => join(folder, file))
        const unknown = beginnings.find((id) => this.getModuleInfo(id) === null)
        if (unknown !== undefined) throw new Error(`No part of the package: ${unknown}`)
        add(way, filesOfWay(this, folder, beginnings))
      }
      const library = filesOfWay(
        this,
        folder,
        ways.library.map((file) => join(folder, file)),
      )
      const parts = new Set<string>()
      for (let next: ReadonlySet<string> = library; next.size > 0;) {
        const onDemand = [...next].flatMap((id) => this.getModuleInfo(id)!.dynamicallyImportedIds)
        next = filesOfWay(this, folder, onDemand).difference(parts)
        for (const id of next) parts.add(id)
      }
      // Those that the library does not import itself need no chunk of ours.
      add(ON_DEMAND, parts.intersection(library))
    },
  }
  // Those on most ways first: then everything that a group imports has a chunk already, and stays there.
  const groups = subsetsOf([...Object.keys(ways), ON_DEMAND])
    .toSorted((a, b) => b.length - a.length)
    .map((subset, index, all) => {
      const name = subset.join('-')
      return { name, test: (id: string) => waysOf.get(id) === name, priority: all.length - index }
    })
  return { plugin, groups }
}

function filesOfWay(graph: PluginContext, folder: string, beginnings: readonly string[]): Set<string> {
  const found = new Set<string>()
  const visit = (id: string): void => {
    const module = graph.getModuleInfo(id)
    if (found.has(id) || module === null || !id.startsWith(folder)) return
    found.add(id)
    module.importedIds.forEach(visit)
  }
  beginnings.forEach(visit)
  return found
}

/** All of them but the empty one; each in the given order. */
function subsetsOf(names: readonly string[]): string[][] {
  const subsets: string[][] = [[]]
  for (const name of names) subsets.push(...subsets.map((subset) => [...subset, name]))
  return subsets.slice(1)
}
