import type { Operation } from "../../api/types"
import { bytesText } from "../../format/bytes"
import { count } from "../../format/count"
import { duration } from "../../format/time"

type Progress = NonNullable<Operation["progress"]>

/** How far a job is, how fast, how long still: "812,400 of 1,940,221 objects, 11.5 GB. 3,150 objects a second, …" */
export function progressWords(progress: Progress, since: number): string {
  const { objects, bytes, total_objects: total } = progress
  const rate = objects / Math.max(1, (progress.at - since) / 1e6)
  const far = total ? `${count(objects)} of ${count(total)} objects` : `${count(objects)} objects`
  const left = total && rate > 0 ? `, about ${duration(((total - objects) / rate) * 1e6)} left` : ""
  return `${far}, ${bytesText(bytes)}. ${count(Math.round(rate))} objects a second${left}. It continues if you leave.`
}
