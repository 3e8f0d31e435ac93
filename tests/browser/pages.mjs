// Every page of an account, and how to come to it.

import { at } from "./stage.mjs"

/** The address of each page of the account (the operators' pages are in their story); `bucket` is one with everything in it. */
export const pagesOf = (bucket) => ({
  overview: "/",
  buckets: "/buckets",
  "buckets-no-match": "/buckets?q=nothing-is-called-so",
  "buckets-new": "/buckets?new=1",
  bucket: `/buckets/${bucket}`,
  "bucket-access": `/buckets/${bucket}/access`,
  "bucket-files": `/buckets/${bucket}/files`,
  "bucket-rules": `/buckets/${bucket}/rules`,
  "bucket-uploads": `/buckets/${bucket}/uploads`,
  "bucket-settings": `/buckets/${bucket}/settings`,
  "bucket-gone": "/buckets/0000",
  keys: "/keys",
  "keys-new": "/keys?new=1",
  "keys-access": "/keys?show=access",
  "keys-ended": "/keys?show=ended",
  activity: "/activity",
  audit: "/activity/audit",
  people: "/people",
  settings: "/settings",
  "settings-account": "/settings/account",
  start: "/start",
  nowhere: "/nowhere",
})

/** Goes to a page and waits until it stands still. */
export async function visit(page, path) {
  at(path)
  await page.goto(path)
  await page.getByRole("heading", { level: 1 }).waitFor()
  await settled(page)
}

const STILL_MILLIS = 250
const LONGEST_MILLIS = 15_000

/** Waits until nothing is loaded and nothing but the time of day moves. */
export function settled(page) {
  return page.evaluate(
    ([still, longest]) =>
      new Promise((done) => {
        const finish = () => (document.querySelector(".skel") ? begin() : done())
        let timer
        const begin = () => {
          clearTimeout(timer)
          timer = setTimeout(finish, still)
        }
        const isTime = ({ target }) =>
          Boolean((target.closest ? target : target.parentElement)?.closest("time"))
        const moves = new MutationObserver((changes) => changes.every(isTime) || begin())
        moves.observe(document.body, { subtree: true, childList: true, characterData: true })
        new PerformanceObserver(begin).observe({ type: "resource" })
        setTimeout(done, longest)
        begin()
      }),
    [STILL_MILLIS, LONGEST_MILLIS],
  )
}
