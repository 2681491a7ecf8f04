/** Charts of the last five minutes, with rebalances and circuit breakers as marks on the time axis. */
import { Component, createRef, type VNode } from 'preact'
import uPlot from 'uplot'
import type { HistoryPoint, Status } from './data.ts'
import { count, rate, seconds, short } from './format.ts'
import { html } from './html.ts'

interface Line {
  readonly label: string
  readonly color: string
  readonly value: (point: HistoryPoint) => number | null
}

interface ChartProps {
  readonly title: string
  readonly points: readonly HistoryPoint[]
  readonly lines: readonly Line[]
  readonly format: (value: number | null | undefined) => string
  /** What is counted has no parts: then the axis has none, either. */
  readonly isWhole?: boolean
  /** Seconds since 1970. */
  readonly marks: readonly number[]
  readonly theme: string
}

const HEIGHT = 170
/** 1, 2, 5, 10, 20, 50, and so on. */
const WHOLE_STEPS = Array.from({ length: 15 }, (_, digits) => [1, 2, 5].map((step) => step * 10 ** digits)).flat()

/** Of seconds since 1970, in the reader's time zone: short enough not to overlap the next one. */
function timeOfDay(at: number): string {
  return new Date(at * 1000).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
}

class Chart extends Component<ChartProps> {
  readonly #place = createRef<HTMLDivElement>()
  #plot: uPlot | undefined
  #theme = ''
  readonly #resize = new ResizeObserver(() => this.#plot?.setSize({ width: this.#width, height: HEIGHT }))

  override componentDidMount(): void {
    this.#draw()
    this.#resize.observe(this.#place.current!)
  }

  override componentDidUpdate(): void {
    if (this.#theme === this.props.theme) this.#plot?.setData(this.#data)
    else this.#draw()
  }

  override componentWillUnmount(): void {
    this.#resize.disconnect()
    this.#plot?.destroy()
  }

  render(): VNode {
    const { title, points, lines, format } = this.props
    const latest = points.at(-1)
    const text = lines.map(({ label, value }) => `${label} ${format(latest && value(latest))}`).join(', ')
    return html`<div class="chart">
      <h3>${title}</h3>
      <div role="img" aria-label=${`${title} over the last five minutes. Now: ${text}`}>
        <div ref=${this.#place}></div>
      </div>
      <p class="legend faint">
        ${lines.map(
          ({ label, color, value }) =>
            html`<span key=${label}>
              <span class="swatch" style=${{ background: `var(${color})` }}></span
              >${`${label} ${format(latest && value(latest))}`}
            </span>`,
        )}
      </p>
    </div>`
  }

  get #width(): number {
    return this.#place.current!.clientWidth
  }

  get #data(): uPlot.AlignedData {
    const { points, lines } = this.props
    return [points.map(({ at }) => at), ...lines.map(({ value }) => points.map(value))]
  }

  #draw(): void {
    this.#plot?.destroy()
    this.#theme = this.props.theme
    const style = getComputedStyle(document.documentElement)
    const color = (name: string): string => style.getPropertyValue(name).trim()
    const axis = {
      stroke: color('--faint'),
      grid: { stroke: color('--line'), width: 1 },
      ticks: { stroke: color('--line'), width: 1 },
    }
    const { isWhole = false, format } = this.props
    const label = isWhole ? short : format
    this.#plot = new uPlot(
      {
        width: this.#width,
        height: HEIGHT,
        padding: [null, 28, null, null],
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        axes: [
          { ...axis, space: 80, values: (_, splits) => splits.map(timeOfDay) },
          {
            ...axis,
            size: 60,
            ...(isWhole && { incrs: WHOLE_STEPS }),
            values: (_, splits) => splits.map((value) => label(value)),
          },
        ],
        series: [
          {},
          ...this.props.lines.map(({ label, color: name }) => ({
            label,
            stroke: color(name),
            width: 2,
            points: { show: false },
          })),
        ],
        hooks: { draw: [(plot) => this.#drawMarks(plot, color('--warn'))] },
      },
      this.#data,
      this.#place.current!,
    )
  }

  #drawMarks({ ctx, bbox, ...plot }: uPlot, color: string): void {
    const [first = Infinity] = plot.data[0]
    ctx.save()
    ctx.strokeStyle = color
    ctx.setLineDash([4, 4])
    for (const at of this.props.marks) {
      if (at < first) continue
      const x = this.#plot!.valToPos(at, 'x', true)
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }
}

interface ChartsProps {
  readonly points: readonly HistoryPoint[]
  readonly events: Status['events']
  readonly theme: string
}

const MARKED = /^(?:partitions|breaker|group)\./

type ChartSpec = Pick<ChartProps, 'title' | 'lines' | 'format' | 'isWhole'>

const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Records per second',
    format: rate,
    lines: [
      { label: 'read', color: '--busy', value: ({ readPerSecond }) => readPerSecond },
      { label: 'written', color: '--backpressured', value: ({ writtenPerSecond }) => writtenPerSecond },
    ],
  },
  {
    title: 'Lag in records',
    format: count,
    isWhole: true,
    lines: [{ label: 'lag', color: '--busy', value: ({ lag }) => lag }],
  },
  {
    title: 'Lag in time',
    format: seconds,
    lines: [{ label: 'lag', color: '--busy', value: ({ lagSeconds }) => lagSeconds }],
  },
  {
    title: 'Latency, 99 %',
    format: seconds,
    lines: [{ label: 'latency', color: '--busy', value: ({ latencySeconds }) => latencySeconds }],
  },
]

export function Charts({ points, events, theme }: ChartsProps): VNode {
  const marks = events.filter(({ event }) => MARKED.test(event)).map(({ at }) => Date.parse(at) / 1000)
  // What a pipeline cannot know, such as the lag of a file, needs no chart.
  const known = CHARTS.filter(({ lines }) => lines.some(({ value }) => points.some((point) => value(point) !== null)))
  return html`<section aria-labelledby="charts">
    <h2 id="charts">Last five minutes</h2>
    ${known.length === 0 && html`<p class="faint" style="margin:0">The first numbers come after two seconds.</p>`}
    <div class="charts">
      ${known.map((chart) => html`<${Chart} key=${chart.title} ...${chart} points=${points} marks=${marks} theme=${theme} />`)}
    </div>
    <p class="faint" style="margin:8px 0 0">Dashed lines are rebalances and changes of circuit breakers.</p>
  </section>`
}
