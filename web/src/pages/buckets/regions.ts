import type { Region } from "../../api/types"

/** Regions to choose from, each with how it is. */
export function regionOptions(regions: Region[]) {
  return regions.map((region) => ({
    value: region.name,
    title: region.name,
    text: region.connected
      ? `${host(region)}. Takes changes.`
      : `${host(region)}. Its agent is away: buckets there keep serving, changes wait.`,
    mark: region.s3_region,
  }))
}

function host({ s3_endpoint }: Region): string {
  return s3_endpoint.replace(/^https?:\/\//, "")
}
