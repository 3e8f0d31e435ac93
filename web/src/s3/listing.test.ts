import { expect, it } from "vitest"
import { readError, readListing } from "./listing"

it("reads a page of a folder", () => {
  const listing = readListing(`<?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>media</Name><Prefix>raw/</Prefix>
    <KeyCount>2</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>]cmF3</NextContinuationToken>
    <Contents><Key>raw/a%20%26%2B.mov</Key><LastModified>2026-11-23T14:06:09.123Z</LastModified>
      <ETag>&quot;9ac1e0f7&quot;</ETag><Size>24118332</Size></Contents>
    <CommonPrefixes><Prefix>raw/2026-11-24/</Prefix></CommonPrefixes></ListBucketResult>`)
  expect(listing.objects).toEqual([
    {
      key: "raw/a &+.mov",
      bytes: 24_118_332,
      at: Date.UTC(2026, 10, 23, 14, 6, 9, 123) * 1000,
      etag: "9ac1e0f7",
    },
  ])
  expect(listing.folders).toEqual(["raw/2026-11-24/"])
  expect(listing.next).toBe("]cmF3")
})

it("reads what the storage refuses", () => {
  const xml = "<Error><Code>AccessDenied</Code><Message>Forbidden: no such key</Message></Error>"
  expect(readError(xml)).toEqual({ code: "AccessDenied", message: "Forbidden: no such key" })
  expect(readError("bad gateway")).toBeUndefined()
})
