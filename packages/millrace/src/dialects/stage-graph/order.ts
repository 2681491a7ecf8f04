/**
 * Puts the stages of a graph into an order in which each stands behind its inputs.
 */
import type { PlannedNode } from '../../engine/graph/plan.ts'
import type { ConfigProblem } from '../../errors/index.ts'
import { didYouMean } from '../../options/suggest.ts'

export type PlacedNode = PlannedNode & { readonly path: string }

/**
 * @param written ids of all stages of the file, also of those that could not be read
 * @param problems gets those of ids that are used twice, inputs that do not exist, and cycles
 */
export function inOrder(
  nodes: readonly PlacedNode[],
  written: ReadonlySet<unknown>,
  problems: ConfigProblem[],
): PlannedNode[] {
  const byId = new Map<string, PlacedNode>()
  for (const node of nodes) {
    const other = byId.get(node.id)
    if (other === undefined) byId.set(node.id, node)
    else
      problems.push({
        path: `${node.path}.id`,
        message: `Duplicate stage id "${node.id}": ${other.path} has it too`,
        suggestion: 'rename one',
      })
  }
  // Those that could not be read are there, too.
  const ids = [...written].filter((id) => typeof id === 'string')
  for (const { inputs, path, id } of nodes) {
    for (const [i, input] of inputs.entries()) {
      if (!byId.has(input) && !written.has(input))
        problems.push({
          path: `${path}.inputs.${i}`,
          message: `Stage "${id}" takes the rows of stage "${input}", which does not exist`,
          suggestion: didYouMean(input, ids) ?? `there are ${ids.join(', ')}`,
        })
      else if (inputs.indexOf(input) < i)
        problems.push({
          path: `${path}.inputs.${i}`,
          message: `Stage "${id}" names its input "${input}" twice`,
          suggestion: 'delete one',
        })
    }
  }
  const ordered: PlannedNode[] = []
  const state = new Map<string, 'open' | 'done'>()
  const visit = (node: PlacedNode, above: readonly string[]): void => {
    if (state.get(node.id) === 'done') return
    if (state.get(node.id) === 'open') {
      const cycle = [...above.slice(above.indexOf(node.id)), node.id]
      problems.push({
        path: `${node.path}.inputs`,
        message: `Cycle detected in pipeline at stage "${node.id}": ${cycle.toReversed().join(' -> ')}`,
        suggestion: 'remove one of these inputs',
      })
      return
    }
    state.set(node.id, 'open')
    for (const input of node.inputs) {
      const before = byId.get(input)
      if (before !== undefined) visit(before, [...above, node.id])
    }
    state.set(node.id, 'done')
    const { path: _, ...planned } = node
    ordered.push(planned)
  }
  for (const node of byId.values()) visit(node, [])
  return ordered
}
