import uPlot from "uplot"
import { clock, day, micros, type Zone } from "../format/time"
import type { Theme } from "../state/preferences.svelte"
import { type Colours, coloursAt } from "./colours"
import type { LimitLine } from "./limit"
import { roundTicks } from "./scale"

/** What a chart shows. */
export interface Plan {
  /** Instants, oldest first. */
  at: number[]
  /** The range that is looked at, whether or not there are points in all of it. */
  from: number
  to: number
  /** Values; null where nothing is known. */
  values: (number | null)[]
  /** An area from zero, a line on a zoomed axis, or a bar a step. */
  kind: "area" | "line" | "bars"
  height: number
  format: (value: number) => string
  /** A round value at the axis. */
  tick: (value: number) => string
  /** A limit, dashed, with its words. */
  limit?: LimitLine | undefined
  zone: Zone
  onread: (index: number | undefined) => void
}

export interface Drawing {
  /** Moves the reading; away with nothing. */
  point: (index: number | undefined) => void
  end: () => void
}

const AXIS_WIDTH = 62
const EDGE = 20
/** Pixels below which a chart is on a phone. */
const NARROW = 480
const DAY_SECONDS = 86_400

/** Draws a chart into `place`, as wide as that is, in its colours. */
export function draw(place: HTMLElement, plan: Plan, theme: Theme): Drawing {
  // The theme decides what the tokens are; a chosen one is in force already.
  void theme
  const system = matchMedia("(prefers-color-scheme: dark)")
  let plot = make(place, plan)
  const anew = () => {
    plot.destroy()
    plot = make(place, plan)
  }
  system.addEventListener("change", anew)
  const watch = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: plan.height }))
  watch.observe(place)
  return {
    point: (index) => point(plot, plan, index),
    end: () => {
      watch.disconnect()
      system.removeEventListener("change", anew)
      plot.destroy()
    },
  }
}

function point(plot: uPlot, plan: Plan, index: number | undefined): void {
  const at = index === undefined ? undefined : plan.at[index]
  const value = index === undefined ? undefined : plan.values[index]
  // The first step may begin before the range: a cursor out there would be hidden.
  const left = at === undefined ? -10 : Math.max(0, plot.valToPos(at / 1e6, "x"))
  plot.setCursor({ left, top: at === undefined ? -10 : plot.valToPos(value ?? 0, "y") })
  plan.onread(index)
}

function make(place: HTMLElement, plan: Plan): uPlot {
  const colours = coloursAt(place)
  const ticks = ticksOf(plan)
  const times = plan.at.map((at) => at / 1e6)
  const options: uPlot.Options = {
    width: place.clientWidth,
    height: plan.height,
    padding: [plan.limit ? 18 : 8, 0, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 9, width: 2.25, fill: colours.paper, stroke: colours.tide },
      drag: { x: false, y: false },
    },
    scales: {
      x: {
        time: true,
        range: () => span(plan, times),
      },
      y: { range: () => [ticks[0] ?? 0, ticks.at(-1) ?? 1] },
    },
    axes: [timeAxis(plan, colours), valueAxis(plan, ticks, colours)],
    series: [{}, series(plan, colours)],
    hooks: {
      drawClear: [(plot) => shadeUnknown(plot, plan, colours)],
      draw: [(plot) => drawLimit(plot, plan, colours)],
      setCursor: [(plot) => plan.onread(plot.cursor.idx ?? undefined)],
    },
  }
  return new uPlot(options, [times, plan.values], place)
}

function ticksOf({ values, kind, limit }: Plan): number[] {
  const known = values.filter((value) => value !== null)
  const top = Math.max(0, ...known)
  if (kind === "line" && known.length) {
    const [low, high] = [Math.min(...known), top]
    // A line that never moves still needs room.
    return roundTicks(low, Math.max(high, low * 1.02, 1))
  }
  // A limit far above would press what there is against the floor.
  const shown = limit && limit.value <= top * 3 ? Math.max(top, limit.value) : top
  return roundTicks(0, shown || 1)
}

function span({ kind, from, to }: Plan, times: number[]): [number, number] {
  const [low, high] = [from / 1e6, to / 1e6]
  if (kind !== "bars") return [low, Math.max(high, times.at(-1) ?? 0)]
  const half = times.length > 1 ? ((times[1] ?? 0) - (times[0] ?? 0)) / 2 : (high - low) / 60
  return [Math.min(low, times[0] ?? low) - half, Math.max(times.at(-1) ?? high, low) + half]
}

function series(plan: Plan, colours: Colours): uPlot.Series {
  if (plan.kind !== "bars") {
    const line = {
      stroke: colours.tide,
      width: 1.75,
      spanGaps: false,
      points: { show: plan.at.length === 1 },
    }
    return plan.kind === "area" ? { ...line, fill: colours.wash } : line
  }
  const last = plan.at.length - 1
  // The last step counts as far as it has come: it is paler.
  const fills = () => plan.at.map((_, index) => (index === last ? colours.fade : colours.tide))
  const bars = uPlot.paths.bars?.({ size: [0.7, 40], disp: { fill: { unit: 3, values: fills } } })
  return { fill: colours.tide, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) }
}

function timeAxis(plan: Plan, colours: Colours): uPlot.Axis {
  return {
    stroke: colours.label,
    font: "11px sans-serif",
    size: 26,
    gap: 6,
    // Labels stand closer where there is little room, so that a month has more than one.
    space: (plot) => (plot.width < NARROW ? 64 : 110),
    grid: { show: false },
    ticks: { show: false },
    border: { show: true, stroke: colours.base, width: 1 },
    values: (plot, splits, _, __, step) =>
      splits.map((second) => {
        // A label at the very edge would be cut off.
        if (plot.valToPos(second, "x") < EDGE) return null
        const at = second * 1e6
        return step < DAY_SECONDS ? clock(at, plan.zone) : day(at, micros(), plan.zone)
      }),
  }
}

function valueAxis(plan: Plan, ticks: number[], colours: Colours): uPlot.Axis {
  return {
    side: 1,
    stroke: colours.label,
    font: "11px sans-serif",
    size: AXIS_WIDTH,
    gap: 10,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
    splits: () => ticks,
    values: (_, splits) => splits.map((value) => (value === 0 ? "0" : plan.tick(value))),
  }
}

/** What was before the first point is not known; it is not zero. */
function shadeUnknown(plot: uPlot, { at }: Plan, colours: Colours): void {
  const [first] = at
  if (first === undefined) return
  const { left, top, height } = plot.bbox
  const width = plot.valToPos(first / 1e6, "x", true) - left
  if (width < 2) return
  plot.ctx.fillStyle = colours.well
  plot.ctx.fillRect(left, top, width, height)
}

function drawLimit(plot: uPlot, { limit }: Plan, colours: Colours): void {
  if (!limit) return
  const y = plot.valToPos(limit.value, "y", true)
  const { left, top, width } = plot.bbox
  if (y < top - 1) return
  const { ctx } = plot
  const ratio = devicePixelRatio
  ctx.save()
  ctx.strokeStyle = colours.amber
  ctx.fillStyle = colours.amber
  ctx.lineWidth = 1.25 * ratio
  ctx.setLineDash([5 * ratio, 4 * ratio])
  ctx.beginPath()
  ctx.moveTo(left, y)
  ctx.lineTo(left + width, y)
  ctx.stroke()
  ctx.font = `600 ${11 * ratio}px sans-serif`
  ctx.fillText(limit.text, left, y - 7 * ratio)
  ctx.restore()
}
