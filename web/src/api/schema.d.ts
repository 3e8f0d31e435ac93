// Made from docs/openapi.json by `npm run gen`.

export interface paths {
    "/api/v1/about": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the server is.
         * @description For anyone: its version, and the digest of its root key to compare with the one that was written
         *     down at first start.
         */
        get: operations["get_about"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your account: what it may have and what it has. */
        get: operations["get_account"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/cancel-close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the closing of your account, while its buckets are kept.
         * @description Its keys are deleted and do not come back: make new ones.
         */
        post: operations["post_account_cancel_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close your account: its keys are deleted at once, its buckets cleared and deleted after some days.
         * @description `clears_at` says when; until then it can be cancelled. The owners are told by e-mail.
         */
        post: operations["post_account_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/leave": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Leave the account.
         * @description Your sessions and API tokens in it end at once. The last owner cannot leave.
         */
        post: operations["post_account_leave"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Call the account something else. */
        put: operations["put_account_name"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/account/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make somebody else an owner in your place.
         * @description They are in the account already. You are an admin afterwards.
         */
        post: operations["post_account_transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All accounts, oldest first.
         * @description For operators.
         */
        get: operations["get_accounts"];
        put?: never;
        /**
         * Make an account, and ask its first owner in, by e-mail.
         * @description The invitation is good for 7 days. Limits are set on their own.
         */
        post: operations["post_accounts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/own": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The accounts that you are in, by name. */
        get: operations["get_accounts_own"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An account: what it may have and what it has.
         * @description For operators.
         */
        get: operations["get_accounts_account"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/cancel-close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel the closing of any account, while its buckets are kept.
         * @description For operators. Its keys do not come back. One that was suspended before is so again.
         */
        post: operations["post_accounts_account_cancel_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close any account.
         * @description For operators. Only they cancel that then.
         */
        post: operations["post_accounts_account_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set all that an account may have; an absent limit is lifted.
         * @description For operators. Nothing that is there is taken away: an account over a limit gets no more. A storage
         *     limit counts unfinished uploads and is kept by the quotas of the account's buckets, which follow
         *     within minutes.
         */
        put: operations["put_accounts_account_limits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a suspended account go on: the keys that the suspension stopped work again.
         * @description For operators. A key that its people had suspended before stays so.
         */
        post: operations["post_accounts_account_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{account}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Suspend an account: its keys stop working, and its people change nothing until it is resumed.
         * @description For operators. They still look, sign in and out, and go on in other accounts; the reason is shown to
         *     them. One that is suspended gets the new reason.
         */
        post: operations["post_accounts_account_suspend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The agents, by region.
         * @description For operators.
         */
        get: operations["get_agents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/enrol-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The enrolment tokens, newest first, without their secrets.
         * @description For operators.
         */
        get: operations["get_agents_enrol_tokens"];
        put?: never;
        /**
         * Make a token with which one agent can enrol.
         * @description For operators. Its text is shown this once.
         */
        post: operations["post_agents_enrol_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{agent}/end-quarantine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let an agent in again that was kept out.
         * @description For operators, who have looked at why. Its receipts go on from where it says that they end; those
         *     from before stay as a chain of their own.
         */
        post: operations["post_agents_agent_end_quarantine"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{agent}/lost": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that a revoked agent will never tell what it did.
         * @description For operators. What it had taken and not answered is asked of the region's next executor, under the
         *     same ids: it looks what is there and finishes it. It waits for that for ten minutes, like any other
         *     change. What the lost agent alone could do, such as giving up its role, ends as `agent_lost`.
         *     Receipts that it kept to itself are gone. Once more changes nothing.
         */
        post: operations["post_agents_agent_lost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{agent}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove an agent for good.
         * @description For operators. Its certificate is refused from now on and its connection closed; a server comes
         *     back as a new agent. Was it its region's executor, another agent takes the role two minutes after
         *     its last sign of life; what it had taken stays `unknown` until it
         *     is declared lost. Once more changes nothing.
         */
        post: operations["post_agents_agent_revoke"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who did, or tried, what in your account, newest first.
         * @description Sign-ins and failures, changes, and refusals, which are counted by the minute. For admins and owners.
         */
        get: operations["get_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same events as a file, newest first; at most 1,000,000.
         * @description For more ask again with the instant of the last one as `to`.
         */
        get: operations["get_audit_export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Your buckets, by name, or the largest first; those that drift or vanished by id.
         * @description Figures are as last heard from the storage; `seen_at` says when.
         */
        get: operations["get_buckets"];
        put?: never;
        /**
         * Make a bucket.
         * @description With `key`, also its first key with every right on it; the secret comes back in `sealed`, sealed to
         *     `seal_to`.
         */
        post: operations["post_buckets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A bucket. */
        get: operations["get_buckets_bucket"];
        put?: never;
        post?: never;
        /**
         * Delete an empty bucket.
         * @description One that holds objects is left as it is: `bucket_not_empty`.
         */
        delete: operations["delete_buckets_bucket"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a bucket's settings and rights as they were found for what is wanted.
         * @description Nothing changes in the storage. Operators may for any account.
         */
        post: operations["post_buckets_bucket_accept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/adopt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a bucket that nobody has to an account.
         * @description For operators. `GET /api/v1/strays` lists such buckets. Also 404 `no_such_account`, 409 `has_account`,
         *     `account_closing`, `account_closed`.
         */
        post: operations["post_buckets_bucket_adopt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/aliases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a bucket one more name.
         * @description One that another bucket of the region has is refused: `name_taken`.
         */
        post: operations["post_buckets_bucket_aliases"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/aliases/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take one of its names from a bucket.
         * @description The last one stays: `last_alias`.
         */
        delete: operations["delete_buckets_bucket_aliases_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/cleanup-uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Remove a bucket's unfinished uploads.
         * @description Those that began longer ago than `older_than_seconds`; 0 removes all.
         */
        post: operations["post_buckets_bucket_cleanup_uploads"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/clear": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete all objects of a bucket.
         * @description Those that were written before the agent takes the command; its unfinished uploads of before, too.
         *     A job: the answer comes at once, and the operation tells how far it is.
         */
        post: operations["post_buckets_bucket_clear"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/cors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set which pages may use a bucket from a browser.
         * @description The rules given are all that it has then: at most 100, in 12 KiB of JSON.
         */
        put: operations["put_buckets_bucket_cors"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/cors/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask whether a page may do something with a bucket from a browser.
         * @description By the bucket's rules as last heard, in the way in which Garage reads them.
         */
        post: operations["post_buckets_bucket_cors_check"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rights of your keys on a bucket, by key. */
        get: operations["get_buckets_bucket_grants"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/grants/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set a key's rights on a bucket to exactly these. */
        put: operations["put_buckets_bucket_grants_key"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/lifecycle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set what a bucket deletes by itself, once a day.
         * @description The rules given are all that it has then: at most 100, in 12 KiB of JSON.
         */
        put: operations["put_buckets_bucket_lifecycle"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/measure": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Count the objects under a prefix and their bytes.
         * @description A job: the answer comes at once, the operation tells how far it is, and its outcome the counts.
         */
        post: operations["post_buckets_bucket_measure"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/quota": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Set both limits of a bucket; an absent one is lifted. */
        put: operations["put_buckets_bucket_quota"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a bucket from its account: every key loses its rights on it, its objects stay.
         * @description For operators. It is a stray then, to be adopted again or left alone. Also 409 `no_account`.
         */
        post: operations["post_buckets_bucket_release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Requests to a bucket over time.
         * @description Those since it is yours, counted from the access logs of the proxies before the storage, by the minute; the last minutes may
         *     be missing.
         */
        get: operations["get_buckets_bucket_requests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a bucket to what was asked for: its limits, its rules, and the rights of the keys that differ.
         * @description What nobody asked for here stays as it was found. `GET …/settings` shows both. Also 409 `other_rules`
         *     and `foreign_keys`. Operators may for any account.
         */
        post: operations["post_buckets_bucket_restore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What is set on a bucket: as asked for, as the storage has it, and where the two differ.
         * @description Operators see that of any account.
         */
        get: operations["get_buckets_bucket_settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/buckets/{bucket}/website": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Show a bucket as a website, or stop that. */
        put: operations["put_buckets_bucket_website"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/device-authorizations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask to be let in, for a program that has no sign-in page (RFC 8628).
         * @description Show `user_code` and `verification_uri` to the person; keep `device_code` to yourself and ask for the
         *     token with it every `interval` seconds.
         */
        post: operations["post_device_authorizations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/device-authorizations/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a program in.
         * @description It gets an API token of yours in this account, named after itself and its machine. With an API token: for
         *     nothing that this one may not itself, and no longer.
         */
        post: operations["post_device_authorizations_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/device-authorizations/deny": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Turn a program away. */
        post: operations["post_device_authorizations_deny"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/device-authorizations/look-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** See which program asks to be let in. */
        post: operations["post_device_authorizations_look_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/device-authorizations/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Fetch the token of a program that was let in.
         * @description It is made by this request and shown this once. Until somebody has answered, 202 says when to ask again.
         */
        post: operations["post_device_authorizations_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Hear of changes as they come.
         * @description Server-sent events: the name is the event's, the data its JSON. `missed` says to read again what
         *     you show. A stream ends after 15 minutes, or when the server ends, and
         *     its last line says after how many milliseconds to come back. 24 streams a person and 32 an account at most.
         */
        get: operations["get_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who was asked into the account and has not answered, oldest first. */
        get: operations["get_invitations"];
        put?: never;
        /**
         * Ask somebody into the account, by e-mail.
         * @description Good for 7 days and one answer. A new one to the same address takes the old one's place. The answer
         *     does not tell whether anybody is known under the address.
         */
        post: operations["post_invitations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/accept": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer an invitation: you are in the account afterwards.
         * @description With the secret of its link. Who is known here under its address gives their password; everybody
         *     else gives the one that they want to have.
         */
        post: operations["post_invitations_accept"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/look-up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * See what an invitation asks, before answering it.
         * @description With the secret of its link, which only whoever has the address holds: they hear whether they are known
         *     here under it.
         */
        post: operations["post_invitations_look_up"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/{invitation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Withdraw an invitation; its link stops working at once. */
        delete: operations["delete_invitations_invitation"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your keys with their rights, by id. */
        get: operations["get_keys"];
        put?: never;
        /**
         * Make a key.
         * @description Its secret comes back in `sealed`, sealed to `seal_to`. At most 100 grants, each bucket named once.
         */
        post: operations["post_keys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/temporary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a key for one bucket that ends by itself within 12 hours. */
        post: operations["post_keys_temporary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A key with its rights. */
        get: operations["get_keys_key"];
        put?: never;
        post?: never;
        /** Delete a key at once; whoever holds it loses access. */
        delete: operations["delete_keys_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}/expiry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set when a key ends; never without an instant.
         * @description A suspended key is resumed first.
         */
        put: operations["put_keys_key_expiry"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}/label": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Call a key something else. */
        put: operations["put_keys_key_label"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a suspended key work again, until the end that it had. */
        post: operations["post_keys_key_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}/revoke-leaked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace a key that others may have.
         * @description The old one is deleted at once; the new one has its rights and its end.
         */
        post: operations["post_keys_key_revoke_leaked"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace a key.
         * @description Makes a new key with the same rights; the old one keeps working for `grace_seconds`, 90 days at most.
         */
        post: operations["post_keys_key_rotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/{key}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop a key from working until it is resumed. Its rights stay. */
        post: operations["post_keys_key_suspend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is in the account, by e-mail address. */
        get: operations["get_members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/members/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take somebody out of the account.
         * @description Their sessions and API tokens in it end at once. Keys that they made stay: they are the account's.
         */
        delete: operations["delete_members_user"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/members/{user}/role": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Give somebody in the account another role.
         * @description Nobody who stands above you, and nothing above your own. An account has an owner at all times.
         */
        put: operations["put_members_user_role"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/oidc/{provider}/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Come back from a company's own provider.
         * @description The provider sends the browser here. It ends in a page that goes on by itself, or says what is wrong.
         */
        get: operations["get_oidc_provider_callback"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/oidc/{provider}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Go to a company's own provider to sign in.
         * @description For a browser, which is sent on; what is wrong is a page. `GET /api/v1/about` lists the providers. With
         *     `purpose=reauthenticate` the provider asks anew who is there, and the session that there is may then do
         *     what is dangerous for ten minutes.
         */
        get: operations["get_oidc_provider_start"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your account's operations, newest first. */
        get: operations["get_operations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operation}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * An operation, and what came of it.
         * @description `sealed` is there for members until it is acknowledged, 24 hours at most.
         */
        get: operations["get_operations_operation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operation}/acknowledge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say that you hold the secret of a new key.
         * @description The sealed form is dropped: nobody can fetch it again.
         */
        post: operations["post_operations_operation_acknowledge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/operations/{operation}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an operation.
         * @description One that is not signed yet is cancelled at once, and answers itself; if an agent had taken it which
         *     is lost, it ends as `agent_lost`: what was done of it is not known. A job that an agent has is
         *     asked to stop by a command of its own, whose operation is the answer: the job then ends at its next
         *     step as failed, under the code `cancelled`, and what it has done stays done.
         */
        post: operations["post_operations_operation_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your passkeys, oldest first. */
        get: operations["get_passkeys"];
        put?: never;
        /**
         * Add a passkey.
         * @description From now on it signs in alone. You are told so by e-mail.
         */
        post: operations["post_passkeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/passkeys/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to add a passkey.
         * @description Give `public_key` to the browser's `navigator.credentials.create`, and what that answers, within five
         *     minutes, to `POST /api/v1/passkeys`. Beginning again voids what was begun before.
         */
        post: operations["post_passkeys_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/passkeys/{passkey}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a passkey.
         * @description It no longer signs in, and your other sessions that were begun with it end. You are told so by e-mail.
         */
        delete: operations["delete_passkeys_passkey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/passkeys/{passkey}/name": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Call a passkey something else. */
        put: operations["put_passkeys_passkey_name"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set another password of yours.
         * @description With the one that counts now, also for an API token. Your other sessions end; API tokens stay.
         */
        put: operations["put_password"];
        post?: never;
        /**
         * Sign in with passkeys alone from now on.
         * @description Your password no longer counts, and your other sessions end. A link by e-mail still sets a new one, so that
         *     whoever loses their devices gets in again. You are told so by e-mail.
         */
        delete: operations["delete_password"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/password/forgotten": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a link that sets a new password, by e-mail.
         * @description The answer is the same, and comes as soon, whether or not anybody has the address.
         */
        post: operations["post_password_forgotten"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/password/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a new password with the secret of a link from an e-mail, once.
         * @description All of your sessions end; API tokens stay.
         */
        post: operations["post_password_reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/receipts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Your account's receipts, in the order of its chains: on each agent from 1, without gaps.
         * @description Verify them with what `/api/v1/trust` gives.
         */
        get: operations["get_receipts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/regions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The regions, by name. */
        get: operations["get_regions"];
        put?: never;
        /**
         * Make a region.
         * @description For operators. It gets its executor when its first agent enrols.
         */
        post: operations["post_regions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/regions/{region}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A region. */
        get: operations["get_regions_region"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/regions/{region}/executor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move the executor's role of a region to another of its agents.
         * @description For operators. A signed command to the present executor: it takes no more changes, ends those that
         *     it has (`jobs_running` if they take too long; it stays the executor then) and gives the role up. Its
         *     receipt moves it. An executor that is away cannot give it up: revoke it, and another agent takes the
         *     role two minutes after its last sign of life.
         */
        post: operations["post_regions_region_executor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/regions/{region}/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask a region for its health.
         * @description A signed command to its agent; 202 when the agent has not answered in time.
         */
        post: operations["post_regions_region_health"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/regions/{region}/ping": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ask a region's agent for a sign of life. */
        post: operations["post_regions_region_ping"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/regions/{region}/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Have a region's agent read all buckets and keys again. */
        post: operations["post_regions_region_refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/security-events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an operator should see, newest first: failed sign-ins, agents that were turned away, roles that moved.
         * @description For operators. Kept for 90 days, 100,000 at most.
         */
        get: operations["get_security_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in.
         * @description Sets the cookie `__Host-storm_session`; `storm_session` over plain HTTP. A wrong address and a wrong password are answered alike.
         *     Whoever has a second factor is asked for it: see `POST /api/v1/session/second-factor`.
         */
        post: operations["post_session"];
        /**
         * Sign out.
         * @description Ends the session of the cookie. Without one there is nothing to end.
         */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/account": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Go on in another account that you are in.
         * @description For sessions: an API token stays in its account.
         */
        post: operations["post_session_account"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a passkey.
         * @description Sets the session's cookie. No second factor is asked for: the passkey asked who you are.
         */
        post: operations["post_session_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/passkey/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to sign in with a passkey.
         * @description Give `public_key` to the browser's `navigator.credentials.get`, and what that answers, within five minutes,
         *     to `POST /api/v1/session/passkey`.
         */
        post: operations["post_session_passkey_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove again who you are: with the password, and with a code of the second factor where one is on.
         * @description For ten minutes this session may then do what is dangerous. `GET /api/v1/sign-in-methods` says whether a
         *     second factor is on. Whoever comes by a company's provider proves it there.
         */
        post: operations["post_session_reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/reauthenticate/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Prove again who you are, with a passkey of yours.
         * @description For ten minutes this session may then do what is dangerous.
         */
        post: operations["post_session_reauthenticate_passkey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/reauthenticate/passkey/begin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begin to prove again who you are, with a passkey. */
        post: operations["post_session_reauthenticate_passkey_begin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/second-factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish a sign-in with a second factor.
         * @description With the challenge that answered its first step, within five minutes and five tries, and a code of the
         *     authenticator app or a recovery code. Each is taken once.
         */
        post: operations["post_session_second_factor"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your sessions in every account, oldest first. */
        get: operations["get_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/end-others": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End all of your sessions but the one that asks. API tokens stay. */
        post: operations["post_sessions_end_others"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End one of your sessions, at once. */
        delete: operations["delete_sessions_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in-methods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What you can sign in with. */
        get: operations["get_sign_in_methods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in-methods/recovery-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make new recovery codes; the old ones are void.
         * @description They are shown this once, and you are told so by e-mail.
         */
        post: operations["post_sign_in_methods_recovery_codes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in-methods/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin to set up an authenticator app.
         * @description It counts once a code of it confirms it. Beginning again voids what was begun before.
         */
        post: operations["post_sign_in_methods_totp"];
        /**
         * Turn your authenticator app off; its recovery codes are void.
         * @description You are told so by e-mail.
         */
        delete: operations["delete_sign_in_methods_totp"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-in-methods/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm an authenticator app with a code of it.
         * @description From now on a sign-in takes one, or a recovery code of those that are shown this once. Your other
         *     sessions end.
         */
        post: operations["post_sign_in_methods_totp_confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for an account of your own: a link goes to your address, good for 24 hours.
         * @description Where sign-up is open (`GET /api/v1/about`). The answer is the same, and comes as soon, whether or not
         *     anybody here has the address.
         */
        post: operations["post_sign_ups"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sign-ups/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make your account with the secret of the link from the e-mail, once, and set your password. */
        post: operations["post_sign_ups_confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/strays": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Buckets and keys that belong to no account: buckets first, each by id.
         * @description For operators.
         */
        get: operations["get_strays"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/strays/ignore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say whether a stray is to be left alone.
         * @description For operators. Nothing changes in the storage.
         */
        post: operations["post_strays_ignore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Your API tokens in this account, oldest first, without their secrets. */
        get: operations["get_tokens"];
        put?: never;
        /**
         * Make an API token.
         * @description It may what you may in this account, or less: by `scopes` and, with `buckets`, with these alone. Its
         *     secret is shown this once.
         */
        post: operations["post_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete an API token of yours; it stops working at once. */
        delete: operations["delete_tokens_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/trust": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All that a client needs to verify receipts.
         * @description Compare the root key's digest with the pinned one before you trust the rest.
         */
        get: operations["get_trust"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What you use, over time.
         * @description At most 2,000 points. The last hour or day counts as far as it has come. Requests come by the hour
         *     or the day, from the access logs of the proxies before the storage; the last minutes may be missing.
         */
        get: operations["get_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A month's use of an account and each of its buckets, for a bill.
         * @description Whole numbers; what is rounded is rounded down, once in each hour of a bucket. Months are UTC.
         */
        get: operations["get_usage_export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who you are. */
        get: operations["get_whoami"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What the server is and does, for anyone. */
        About: {
            /** @description Whether passkeys can be used at its address. */
            passkeys?: boolean;
            /** @description Companies' own providers that one may sign in at. */
            providers?: components["schemas"]["SignInProvider"][];
            /** @description The digest of the root key. */
            root_key: components["schemas"]["Digest"];
            /** @description Whether anybody may sign up for an account of their own. */
            sign_up: boolean;
            /** @description The server's version. */
            version: string;
        };
        /** @description Answers an invitation. */
        AcceptInvitationRequest: {
            /** @description The password: the one they have here, or the one they want to have. */
            password: string;
            /** @description The secret of the link, behind its `#`. */
            token: string;
        };
        /** @description The id of an S3 access key: `GK` and 24 hex digits. */
        AccessKeyId: string;
        /** @description An account with its limits and what it uses. */
        Account: {
            /**
             * Format: int64
             * @description Its buckets.
             */
            buckets: number;
            clears_at?: components["schemas"]["Micros"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /** @description Its id. */
            id: components["schemas"]["AccountId"];
            /**
             * Format: int64
             * @description Its keys that have not ended, temporary ones aside.
             */
            keys: number;
            /** @description Its limits. */
            limits: components["schemas"]["AccountLimits"];
            /** @description Its name. */
            name: string;
            /**
             * Format: int64
             * @description Objects in its buckets.
             */
            objects: number;
            /** @description What became of it. */
            state: components["schemas"]["AccountState"];
            /** @description Why it was suspended. */
            state_reason?: string | null;
            /**
             * Format: int64
             * @description Bytes in its buckets, unfinished uploads included, as last heard.
             */
            used_bytes: number;
        };
        /** @description A customer organisation. */
        AccountId: string;
        /** @description What an account may have; an absent limit is none. */
        AccountLimits: {
            buckets?: components["schemas"]["Limit"] | null;
            keys?: components["schemas"]["Limit"] | null;
            storage_bytes?: components["schemas"]["Limit"] | null;
        };
        AccountPage: {
            /** @description The items. */
            items: components["schemas"]["Account"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /**
         * @description What became of an account.
         * @enum {string}
         */
        AccountState: "active" | "suspended" | "closing" | "closed";
        /** @description Who asks for a command. */
        Actor: {
            /** @description The account on whose behalf: its chain holds the receipt, its things may be touched. */
            account: components["schemas"]["AccountId"];
            /** @description Whether the person runs the platform, and so may touch what is not the account's. */
            operator: boolean;
            /** @description The person. */
            user: components["schemas"]["UserId"];
            /** @description The way the request came. */
            via: components["schemas"]["Via"];
        };
        /** @description Gives a bucket one more name. */
        AddAliasRequest: {
            /** @description The name, unique in the region. */
            name: components["schemas"]["BucketName"];
        };
        /** @description Gives a bucket that nobody has to an account. */
        AdoptRequest: {
            /** @description Whose it becomes. */
            account: components["schemas"]["AccountId"];
            name?: components["schemas"]["BucketName"] | null;
            quota_bytes?: components["schemas"]["Limit"] | null;
            quota_objects?: components["schemas"]["Limit"] | null;
        };
        /** @description An agent. */
        Agent: {
            certificate_expires_at?: components["schemas"]["Micros"] | null;
            /**
             * Format: int64
             * @description Its clock less the hub's, in microseconds, as last measured.
             */
            clock_offset_micros?: number | null;
            /** @description Whether it is connected. */
            connected: boolean;
            /** @description Whether it is its region's executor. */
            executor: boolean;
            /** @description Garage's version on its node, as it said. */
            garage_version?: string | null;
            /** @description The name of its host, as it said. */
            host: string;
            /** @description Its id. */
            id: components["schemas"]["AgentId"];
            /** @description Commands that are not offered: switched off there, or of another version. */
            not_offered: string[];
            /** @description Why an operator has to decide about it, if so. */
            quarantined?: string | null;
            /**
             * Format: int64
             * @description The last receipt that is stored.
             */
            receipts: number;
            /** @description Its region. */
            region: components["schemas"]["RegionName"];
            seen_at?: components["schemas"]["Micros"] | null;
            statement?: components["schemas"]["Envelope"] | null;
            /** @description Why it takes no change at the moment, in its words. */
            trouble?: string | null;
            /** @description Its version, as it said. */
            version?: string | null;
        };
        /** @description One enrolment of an agent on one server. */
        AgentId: string;
        /** @description What became of the operations that a lost agent had taken. */
        AgentLost: {
            /** @description The agent. */
            agent: components["schemas"]["Agent"];
            /**
             * Format: int32
             * @description Operations that the region's next executor is asked for: it finds out what was done.
             */
            asked_again: number;
            /**
             * Format: int32
             * @description Operations that ended as failed, `agent_lost`.
             */
            ended: number;
        };
        AgentPage: {
            /** @description The items. */
            items: components["schemas"]["Agent"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description `bucket.add_alias` */
        AliasAdded: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /** @description Its further name. */
            name: components["schemas"]["BucketName"];
        };
        /** @description `bucket.remove_alias` */
        AliasRemoved: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /** @description The name that it had. */
            name: components["schemas"]["BucketName"];
        };
        /** @description Somebody did something, or tried to. */
        AuditEvent: {
            account?: components["schemas"]["AccountId"] | null;
            /** @description What: a name of docs/access.md, `session.create` or `session.delete`. */
            act: string;
            /** @description When. */
            at: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description How many alike this stands for: refusals are counted, one event a minute.
             */
            count: number;
            /** @description Their e-mail address at that time. */
            email?: string | null;
            /** @description Its id. */
            id: components["schemas"]["AuditEventId"];
            operation?: components["schemas"]["OperationId"] | null;
            /** @description The address that it came from; absent for refusals from more addresses than are told apart. */
            origin?: string | null;
            /** @description `done`, or the code of the answer. */
            result: string;
            /**
             * @description Which thing: ids and names of the request's path, or the address that somebody tried to sign in
             *     with.
             */
            thing?: string | null;
            token?: components["schemas"]["TokenId"] | null;
            user?: components["schemas"]["UserId"] | null;
            /** @description Which way it came: `web`, `cli`, `api`, or `server`: a command on the server itself. */
            via: string;
        };
        /** @description An event of the audit trail. */
        AuditEventId: string;
        AuditPage: {
            /** @description The items. */
            items: components["schemas"]["AuditEvent"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /**
         * Format: byte
         * @description Any number of bytes, base64 in JSON.
         */
        Base64: string;
        /** @description Asks to be let in. */
        BeginDeviceRequest: {
            /** @description What the program is called: 1 to 20 letters, digits and `._-`. */
            client: string;
            /** @description The name of the machine that it runs on: 1 to 40 of them. */
            host: string;
            /** @description What its token may, of what the person may; everything (`*`) when absent. At most 50. */
            scopes?: components["schemas"]["Scope"][] | null;
            /**
             * Format: int32
             * @description Days that its token lasts, 1 to 365; 90 when absent.
             */
            token_days?: number | null;
        };
        /** @description A bucket, as last heard. */
        Bucket: {
            account?: components["schemas"]["AccountId"] | null;
            /** @description All its global aliases. */
            aliases: components["schemas"]["BucketName"][];
            /**
             * Format: int64
             * @description Bytes in whole objects, as last heard; absent before the first sweep.
             */
            bytes?: number | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /**
             * @description Whether the storage has other settings or rights than were asked for; `GET …/settings`
             *     says which.
             */
            drift: boolean;
            effective_quota_bytes?: components["schemas"]["Limit"] | null;
            /** @description Its id. */
            id: components["schemas"]["BucketId"];
            name?: components["schemas"]["BucketName"] | null;
            /**
             * Format: int64
             * @description Objects, as last heard.
             */
            objects?: number | null;
            quota_bytes?: components["schemas"]["Limit"] | null;
            quota_objects?: components["schemas"]["Limit"] | null;
            /** @description Its region. */
            region: components["schemas"]["RegionName"];
            seen_at?: components["schemas"]["Micros"] | null;
            /**
             * Format: int64
             * @description Bytes in unfinished uploads.
             */
            unfinished_bytes?: number | null;
            /**
             * Format: int64
             * @description Unfinished uploads.
             */
            unfinished_uploads?: number | null;
            vanished_at?: components["schemas"]["Micros"] | null;
            /** @description Whether it is shown as a website. */
            website: boolean;
        };
        /** @description `bucket.adopt` */
        BucketAdopted: {
            /** @description Whose it is now. */
            account: components["schemas"]["AccountId"];
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            name?: components["schemas"]["BucketName"] | null;
            quota_bytes?: components["schemas"]["Limit"] | null;
            quota_objects?: components["schemas"]["Limit"] | null;
        };
        /** @description `bucket.clear` */
        BucketCleared: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /**
             * Format: int64
             * @description Their bytes.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Objects that were written after the command was taken, and stay.
             */
            kept: number;
            /**
             * Format: int64
             * @description Objects of before that are gone.
             */
            objects: number;
        };
        /** @description `bucket.create` */
        BucketCreated: {
            /** @description The new bucket. */
            bucket: components["schemas"]["BucketId"];
            key?: components["schemas"]["AccessKeyId"] | null;
            /** @description Its global alias. */
            name: components["schemas"]["BucketName"];
        };
        /** @description `bucket.delete` */
        BucketDeleted: {
            /** @description The bucket that is gone. */
            bucket: components["schemas"]["BucketId"];
        };
        /** @description The rights of one key on the bucket at hand. */
        BucketGrant: {
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
            /** @description Delete the bucket; change its CORS, website and lifecycle. */
            owner: boolean;
            /** @description List and read objects. */
            read: boolean;
            /** @description Write and delete objects. */
            write: boolean;
        };
        /** @description Garage's own id of a bucket: 32 bytes, lower-case hex in text. */
        BucketId: string;
        /** @description A bucket's global alias, under Garage's rules for names. */
        BucketName: string;
        BucketPage: {
            /** @description The items. */
            items: components["schemas"]["Bucket"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description `bucket.release` */
        BucketReleased: {
            /** @description The bucket, which is nobody's now. */
            bucket: components["schemas"]["BucketId"];
            /**
             * Format: int64
             * @description Keys that lost their rights on it.
             */
            keys: number;
        };
        /** @description `bucket.restore` */
        BucketRestored: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
        };
        /** @description A bucket's settings, as asked for and as the storage has them. */
        BucketSettings: {
            /** @description What differs, once it has for a while. */
            drift: components["schemas"]["Setting"][];
            /**
             * Format: int64
             * @description Keys that are not the account's and have other rights on it than were given here.
             */
            foreign_keys: number;
            /** @description What the storage has, as last heard. */
            found: components["schemas"]["SettingsValue"];
            /** @description Whether the storage has CORS, lifecycle or website rules that cannot be said here. */
            other_rules: boolean;
            /** @description What was asked for here. What never was is as found. */
            wanted: components["schemas"]["SettingsValue"];
        };
        /** @description Sets another password. */
        ChangePasswordRequest: {
            /** @description The one that counts now. */
            current: string;
            /** @description The one that is to count: 8 to 1,024 bytes. */
            new: string;
        };
        /** @description Asks whether a page may do something with a bucket from a browser. */
        CheckCorsRequest: {
            /** @description Request headers that the page sets. */
            headers?: string[];
            /** @description The method. */
            method: components["schemas"]["CorsMethod"];
            /** @description The page's origin, such as `https://example.org`. */
            origin: string;
        };
        /** @description Removes unfinished uploads. */
        CleanupUploadsRequest: {
            /**
             * Format: int64
             * @description Only those that began longer ago, in seconds; 0 removes all.
             */
            older_than_seconds: number;
        };
        /** @description `cluster.health` */
        ClusterHealth: {
            /**
             * Format: int32
             * @description Nodes that answer.
             */
            connected_nodes: number;
            /** @description Garage's version on the agent's node. */
            garage_version: string;
            /**
             * Format: int32
             * @description Nodes that the cluster has ever heard of.
             */
            known_nodes: number;
            /**
             * Format: int32
             * @description Partitions of the data.
             */
            partitions: number;
            /**
             * Format: int32
             * @description Partitions with every copy in reach.
             */
            partitions_all_ok: number;
            /**
             * Format: int32
             * @description Partitions that can be written.
             */
            partitions_quorum: number;
            /** @description Garage's word: healthy, degraded or unavailable. */
            status: string;
            /**
             * Format: int32
             * @description Nodes with a storage role.
             */
            storage_nodes: number;
            /**
             * Format: int32
             * @description Of those, the ones that answer.
             */
            storage_nodes_up: number;
        };
        /** @description What a command that did its work answers. */
        CommandResult: {
            /** @enum {string} */
            command: "AgentPing";
            value: components["schemas"]["Pong"];
        } | {
            /** @enum {string} */
            command: "ClusterHealthCommand";
            value: components["schemas"]["ClusterHealth"];
        } | {
            /** @enum {string} */
            command: "InventoryRefresh";
            value: components["schemas"]["InventoryRefreshed"];
        } | {
            /** @enum {string} */
            command: "ExecutorRelease";
            value: components["schemas"]["ExecutorReleased"];
        } | {
            /** @enum {string} */
            command: "JobCancel";
            value: components["schemas"]["JobCancelled"];
        } | {
            /** @enum {string} */
            command: "BucketCreate";
            value: components["schemas"]["BucketCreated"];
        } | {
            /** @enum {string} */
            command: "BucketDelete";
            value: components["schemas"]["BucketDeleted"];
        } | {
            /** @enum {string} */
            command: "BucketClear";
            value: components["schemas"]["BucketCleared"];
        } | {
            /** @enum {string} */
            command: "BucketMeasurePrefix";
            value: components["schemas"]["PrefixMeasured"];
        } | {
            /** @enum {string} */
            command: "BucketSetQuota";
            value: components["schemas"]["QuotaSet"];
        } | {
            /** @enum {string} */
            command: "BucketSetCors";
            value: components["schemas"]["CorsSet"];
        } | {
            /** @enum {string} */
            command: "BucketSetLifecycle";
            value: components["schemas"]["LifecycleSet"];
        } | {
            /** @enum {string} */
            command: "BucketSetWebsite";
            value: components["schemas"]["WebsiteSet"];
        } | {
            /** @enum {string} */
            command: "BucketAddAlias";
            value: components["schemas"]["AliasAdded"];
        } | {
            /** @enum {string} */
            command: "BucketRemoveAlias";
            value: components["schemas"]["AliasRemoved"];
        } | {
            /** @enum {string} */
            command: "BucketCleanupUploads";
            value: components["schemas"]["UploadsCleaned"];
        } | {
            /** @enum {string} */
            command: "BucketRestore";
            value: components["schemas"]["BucketRestored"];
        } | {
            /** @enum {string} */
            command: "BucketAdopt";
            value: components["schemas"]["BucketAdopted"];
        } | {
            /** @enum {string} */
            command: "BucketRelease";
            value: components["schemas"]["BucketReleased"];
        } | {
            /** @enum {string} */
            command: "AccountSetQuotas";
            value: components["schemas"]["QuotasSet"];
        } | {
            /** @enum {string} */
            command: "KeyCreate";
            value: components["schemas"]["KeyCreated"];
        } | {
            /** @enum {string} */
            command: "KeyCreateTemporary";
            value: components["schemas"]["TemporaryKeyCreated"];
        } | {
            /** @enum {string} */
            command: "KeyRename";
            value: components["schemas"]["KeyRenamed"];
        } | {
            /** @enum {string} */
            command: "KeySetExpiry";
            value: components["schemas"]["KeyExpirySet"];
        } | {
            /** @enum {string} */
            command: "KeySuspend";
            value: components["schemas"]["KeySuspended"];
        } | {
            /** @enum {string} */
            command: "KeyResume";
            value: components["schemas"]["KeyResumed"];
        } | {
            /** @enum {string} */
            command: "KeyDelete";
            value: components["schemas"]["KeyDeleted"];
        } | {
            /** @enum {string} */
            command: "KeySetGrant";
            value: components["schemas"]["GrantSet"];
        } | {
            /** @enum {string} */
            command: "KeyRotate";
            value: components["schemas"]["KeyRotated"];
        } | {
            /** @enum {string} */
            command: "KeyRevokeLeaked";
            value: components["schemas"]["KeyReplaced"];
        };
        /** @description Makes it. */
        ConfirmSignUpRequest: {
            /** @description The password to sign in with: at least 8 characters. */
            password: string;
            /** @description What stands after `#` in the link. */
            token: string;
        };
        /** @description Confirms an authenticator app. */
        ConfirmTotpRequest: {
            /** @description Six digits that it shows. */
            code: string;
        };
        /**
         * @description A method that a CORS rule lets through.
         * @enum {string}
         */
        CorsMethod: "GET" | "PUT" | "POST" | "DELETE" | "HEAD";
        /**
         * @description Where a page may come from: an origin as browsers send it, with at most one `*` in its host,
         *     or `*` alone.
         */
        CorsOrigin: string;
        /** @description Which pages may use the bucket from a browser, and how. */
        CorsRule: {
            /** @description Request headers, such as `content-type`, `x-amz-*` or `*`; at most 100. */
            allowed_headers?: components["schemas"]["HeaderPattern"][];
            /** @description Methods; 1 to 5. */
            allowed_methods: components["schemas"]["CorsMethod"][];
            /** @description Origins such as `https://example.org`, `https://*.example.org` or `*`; 1 to 100. */
            allowed_origins: components["schemas"]["CorsOrigin"][];
            /** @description Response headers that the page may read; at most 100. */
            expose_headers?: components["schemas"]["HeaderPattern"][];
            id?: components["schemas"]["RuleName"] | null;
            /**
             * Format: int32
             * @description Seconds for which a browser may remember the answer; 0 to 86,400.
             */
            max_age_seconds?: number | null;
        };
        /** @description `bucket.set_cors` */
        CorsSet: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
        };
        /** @description Whether a page may. */
        CorsVerdict: {
            /** @description Whether a rule lets it. */
            allowed: boolean;
            /**
             * Format: int32
             * @description The rule that lets it: its place in the list, from 0.
             */
            rule?: number | null;
            /** @description Why, in a sentence. */
            why: string;
        };
        /** @description Makes an account. */
        CreateAccountRequest: {
            /** @description What to call it: 1 to 64 characters. */
            name: string;
            /** @description The e-mail address of its first owner, who is asked in. */
            owner: string;
        };
        /** @description Asks for a bucket. */
        CreateBucketRequest: {
            key?: components["schemas"]["KeyLabel"] | null;
            /** @description The bucket's name. */
            name: components["schemas"]["BucketName"];
            quota_bytes?: components["schemas"]["Limit"] | null;
            quota_objects?: components["schemas"]["Limit"] | null;
            region?: components["schemas"]["RegionName"] | null;
            seal_to?: components["schemas"]["SealKey"] | null;
        };
        /** @description Asks for an enrolment token. */
        CreateEnrolTokenRequest: {
            /**
             * Format: int32
             * @description Seconds until it ends; an hour when absent, a week at most.
             */
            expires_in_seconds?: number | null;
            region?: components["schemas"]["RegionName"] | null;
        };
        /** @description Asks somebody into the account, by e-mail. */
        CreateInvitationRequest: {
            /** @description Their e-mail address. */
            email: string;
            /** @description The role that they are to have. */
            role: components["schemas"]["Role"];
        };
        /** @description Asks for a key. */
        CreateKeyRequest: {
            /** @description Whether it may make buckets over S3. */
            create_buckets?: boolean;
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description Its rights. */
            grants?: components["schemas"]["KeyGrant"][];
            /** @description What to call it. */
            label: components["schemas"]["KeyLabel"];
            region?: components["schemas"]["RegionName"] | null;
            /** @description Where the secret is sealed to. */
            seal_to: components["schemas"]["SealKey"];
        };
        /** @description Keeps a passkey that the browser made. */
        CreatePasskeyRequest: {
            /** @description Of the answer that asked for it. */
            challenge: string;
            /** @description What the browser answered. */
            credential: unknown;
            /** @description What to call it: 1 to 64 characters. */
            name: string;
        };
        /** @description Asks for a region. */
        CreateRegionRequest: {
            /** @description Its name. */
            name: components["schemas"]["RegionName"];
            /** @description Where S3 is spoken. */
            s3_endpoint: string;
            /** @description The S3 region name that requests are signed for. */
            s3_region: string;
            /** @description The domain under which websites appear. */
            website_domain?: string | null;
        };
        /** @description Asks for a key that ends by itself. */
        CreateTemporaryKeyRequest: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /** @description Where the secret is sealed to. */
            seal_to: components["schemas"]["SealKey"];
            /**
             * Format: int32
             * @description Seconds that it lives; an hour when absent, 43,200 at most.
             */
            valid_seconds?: number | null;
            /** @description Whether it may write and delete too. */
            write: boolean;
        };
        /** @description Asks for an API token. */
        CreateTokenRequest: {
            /** @description With these buckets alone, at most 100; with all of the account's when absent. */
            buckets?: components["schemas"]["BucketId"][] | null;
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description What to call it. */
            name: string;
            /** @description What it may, of what you may; everything (`*`) when absent. At most 50. */
            scopes?: components["schemas"]["Scope"][] | null;
        };
        /** @description A day: `YYYY-MM-DD`. */
        Date: string;
        /** @description Who asks to be let in, before anybody has answered. */
        DeviceAuthorization: {
            /** @description The program's name, in its own words. */
            client: string;
            /** @description When it asked. */
            created_at: components["schemas"]["Micros"];
            /** @description When its codes end. */
            expires_at: components["schemas"]["Micros"];
            /** @description Its machine's name, in its own words. */
            host: string;
            /** @description The same in words, one a scope. */
            may: string[];
            /** @description The address that it asks from. */
            origin?: string | null;
            /** @description Whether you come from the same network. */
            same_network: boolean;
            /** @description What its token may. */
            scopes: components["schemas"]["Scope"][];
            /**
             * Format: int32
             * @description Days that its token lasts.
             */
            token_days: number;
            /** @description The code, as the program shows it. */
            user_code: string;
        };
        /** @description The two codes: one for the program alone, one for people. */
        DeviceCodes: {
            /** @description What the program asks for its token with. Nobody else may see it. */
            device_code: string;
            /**
             * Format: int64
             * @description Seconds until both codes end.
             */
            expires_in: number;
            /**
             * Format: int64
             * @description Seconds between two questions for the token.
             */
            interval: number;
            /** @description What a person compares: eight letters, as in `WDJB-MJHT`. */
            user_code: string;
            /** @description The page to approve it on. */
            verification_uri: string;
            /** @description The same page with the code in it. */
            verification_uri_complete: string;
        };
        /** @description Asks for the token. */
        DeviceTokenRequest: {
            /** @description The program's code. */
            device_code: string;
        };
        /** @description There is no token yet. */
        DeviceWaiting: {
            /** @description `authorization_pending`: nobody has answered; `slow_down`: that, and it was asked too soon. */
            code: string;
            /**
             * Format: int64
             * @description Seconds until to ask again, from now on.
             */
            interval: number;
        };
        /** @description A SHA-256 digest, lower-case hex in text. */
        Digest: string;
        /** @description The object that stands for a folder of a website: a plain name. */
        DocumentName: string;
        /** @description A new enrolment token. It is shown this once. */
        EnrolTokenCreated: {
            /** @description The command to type on the node. */
            command: string;
            /** @description Its text. */
            secret: string;
            /** @description The token. */
            token: components["schemas"]["EnrolTokenInfo"];
            /** @description Where the agent has to connect to. */
            url: string;
        };
        /** @description A token that lets one agent enrol (not its secret). */
        EnrolTokenId: string;
        /** @description A token that lets one agent enrol, without its secret. */
        EnrolTokenInfo: {
            agent?: components["schemas"]["AgentId"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
            /** @description Its id. */
            id: components["schemas"]["EnrolTokenId"];
            /** @description The region that the agent will belong to. */
            region: components["schemas"]["RegionName"];
        };
        EnrolTokenPage: {
            /** @description The items. */
            items: components["schemas"]["EnrolTokenInfo"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description A payload with its signatures; nothing is known of either until [`Envelope::verify`]. */
        Envelope: {
            /** @description The payload's bytes. */
            payload: components["schemas"]["Base64"];
            /** @description The media type of the payload. */
            payloadType: string;
            /** @description One to four signatures over the PAE. */
            signatures: components["schemas"]["EnvelopeSignature"][];
        };
        /** @description One signature of an envelope. */
        EnvelopeSignature: {
            /** @description The id of the key that is said to have signed. */
            keyid: components["schemas"]["Digest"];
            /** @description The signature. */
            sig: components["schemas"]["SignatureBytes"];
        };
        /** @description One event of `/api/v1/events`: the name and JSON data of a server-sent event. */
        Event: {
            /** @description An operation moved. */
            data: components["schemas"]["Operation"];
            /** @enum {string} */
            event: "operation";
        } | {
            /** @description A bucket is new, or its figures moved. */
            data: components["schemas"]["Bucket"];
            /** @enum {string} */
            event: "bucket";
        } | {
            /** @description A bucket is gone. */
            data: components["schemas"]["BucketId"];
            /** @enum {string} */
            event: "bucket_gone";
        } | {
            /** @description A key is new or changed. */
            data: components["schemas"]["Key"];
            /** @enum {string} */
            event: "key";
        } | {
            /** @description A key is gone. */
            data: components["schemas"]["AccessKeyId"];
            /** @enum {string} */
            event: "key_gone";
        } | {
            /** @description An agent came, went or changed (operators only). */
            data: components["schemas"]["Agent"];
            /** @enum {string} */
            event: "agent";
        } | {
            /** @description A region's agent came, went or changed (operators hear of the agent instead). */
            data: components["schemas"]["Region"];
            /** @enum {string} */
            event: "region";
        } | {
            /** @description The account crossed a mark of its storage limit. */
            data: components["schemas"]["LimitNotice"];
            /** @enum {string} */
            event: "limit";
        } | {
            /** @enum {string} */
            event: "missed";
        };
        /** @description `executor.release` */
        ExecutorReleased: {
            /**
             * Format: int64
             * @description The epoch whose executor the agent was; it takes no change of this epoch any more.
             */
            epoch: number;
        };
        /**
         * @description Why an accepted command ended without doing its work.
         * @enum {string}
         */
        Failure: "NameTaken" | "BucketNotEmpty" | "NoSuchBucket" | "NoSuchKey" | "GarageRefused" | "GarageUnavailable" | "GaveUp" | "LastAlias" | "NoSuchAlias" | "JobsRunning" | "AgentLost" | "Cancelled" | "TooLate" | "JobBroken";
        /** @description Asks for a link that sets a new password. */
        ForgottenPasswordRequest: {
            /** @description The e-mail address. */
            email: string;
        };
        /** @description A key's rights on a bucket. */
        Grant: {
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
            /** @description What a person calls it. */
            label: components["schemas"]["KeyLabel"];
            /** @description Delete the bucket; change its CORS, website and lifecycle. */
            owner: boolean;
            /** @description List and read objects. */
            read: boolean;
            /** @description Write and delete objects. */
            write: boolean;
        };
        GrantPage: {
            /** @description The items. */
            items: components["schemas"]["Grant"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description `key.set_grant` */
        GrantSet: {
            /** @description Its rights, as they now are. */
            grant: components["schemas"]["KeyGrant"];
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description A header's name, with at most one `*` in it. */
        HeaderPattern: string;
        /** @description Says whether a stray is to be left alone: one of bucket and key. */
        IgnoreStrayRequest: {
            bucket?: components["schemas"]["BucketId"] | null;
            /** @description Whether to leave it alone. */
            ignored: boolean;
            key?: components["schemas"]["AccessKeyId"] | null;
        };
        /** @description `inventory.refresh` */
        InventoryRefreshed: {
            /**
             * Format: int64
             * @description Buckets in the cluster.
             */
            buckets: number;
            /**
             * Format: int64
             * @description The generation of this sweep.
             */
            generation: number;
            /**
             * Format: int64
             * @description Keys in the cluster.
             */
            keys: number;
        };
        /** @description Somebody who was asked into an account and has not answered. */
        Invitation: {
            /** @description When. */
            created_at: components["schemas"]["Micros"];
            /** @description Their e-mail address. */
            email: string;
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
            /** @description Its id. */
            id: components["schemas"]["InvitationId"];
            /** @description Who asked. */
            invited_by: components["schemas"]["UserId"];
            /** @description The role that they are to have. */
            role: components["schemas"]["Role"];
        };
        /** @description Somebody asked into an account. */
        InvitationId: string;
        /** @description What an invitation asks, for whoever holds its link. */
        InvitationOffer: {
            /** @description The account. */
            account: components["schemas"]["AccountId"];
            /** @description Its name. */
            account_name: string;
            /** @description The e-mail address that it went to. */
            email: string;
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
            /** @description Who asked: their e-mail address. */
            invited_by: string;
            /** @description Whether somebody is known under the address: then their password is wanted, else a new one. */
            known: boolean;
            /** @description The role that they are to have. */
            role: components["schemas"]["Role"];
        };
        InvitationPage: {
            /** @description The items. */
            items: components["schemas"]["Invitation"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description `job.cancel` */
        JobCancelled: {
            /** @description The job that stops. */
            operation: components["schemas"]["OperationId"];
        };
        /** @description A key, without its secret, which the control plane never has. */
        Key: {
            /** @description Whether a client has confirmed that it holds the secret. */
            acknowledged: boolean;
            /** @description Whether it may make buckets over S3. */
            create_buckets: boolean;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description Its rights. */
            grants: components["schemas"]["KeyGrant"][];
            /** @description Its id. */
            id: components["schemas"]["AccessKeyId"];
            /** @description What a person calls it. */
            label: components["schemas"]["KeyLabel"];
            /** @description Its region. */
            region: components["schemas"]["RegionName"];
            /** @description Whether it is suspended; `expires_at` is then when it was to end by itself. */
            suspended: boolean;
            /** @description Whether it is a temporary one. */
            temporary: boolean;
            vanished_at?: components["schemas"]["Micros"] | null;
        };
        /** @description `key.create` */
        KeyCreated: {
            /** @description The new key. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description `key.delete` */
        KeyDeleted: {
            /** @description The key that is gone. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description `key.set_expiry` */
        KeyExpirySet: {
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description The rights of a key on one bucket. */
        KeyGrant: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /** @description Delete the bucket; change its CORS, website and lifecycle. */
            owner: boolean;
            /** @description List and read objects. */
            read: boolean;
            /** @description Write and delete objects. */
            write: boolean;
        };
        /** @description What a person calls a key. Its name in Garage is `<account id>/<label>`. */
        KeyLabel: string;
        KeyPage: {
            /** @description The items. */
            items: components["schemas"]["Key"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description `key.rename` */
        KeyRenamed: {
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
            /** @description What it is called now. */
            label: components["schemas"]["KeyLabel"];
        };
        /** @description `key.revoke_leaked` */
        KeyReplaced: {
            /** @description The rights that it has in the old one's place. */
            grants: components["schemas"]["KeyGrant"][];
            /** @description The new key. */
            key: components["schemas"]["AccessKeyId"];
            /** @description The key that is gone. */
            previous: components["schemas"]["AccessKeyId"];
        };
        /** @description `key.resume` */
        KeyResumed: {
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description `key.rotate` */
        KeyRotated: {
            /** @description The rights that it took over. */
            grants: components["schemas"]["KeyGrant"][];
            /** @description The new key. */
            key: components["schemas"]["AccessKeyId"];
            /** @description The old key. */
            previous: components["schemas"]["AccessKeyId"];
            /** @description When the old key ends. */
            previous_expires_at: components["schemas"]["Micros"];
        };
        /** @description `key.suspend` */
        KeySuspended: {
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description The key. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description What happens to a bucket's objects and uploads by themselves, once a day at midnight UTC. */
        LifecycleRule: {
            /**
             * Format: int32
             * @description Removes unfinished uploads this many days after they began; 1 to 3650.
             */
            abort_uploads_after_days?: number | null;
            /** @description Whether it acts. */
            enabled: boolean;
            /**
             * Format: int32
             * @description Deletes objects this many days after they were written; 1 to 3650.
             */
            expire_after_days?: number | null;
            expire_on?: components["schemas"]["Date"] | null;
            id?: components["schemas"]["RuleName"] | null;
            prefix?: components["schemas"]["ObjectPrefix"] | null;
            /**
             * Format: int64
             * @description Only objects of more bytes. Not for unfinished uploads.
             */
            size_greater_than?: number | null;
            /**
             * Format: int64
             * @description Only objects of fewer bytes. Not for unfinished uploads.
             */
            size_less_than?: number | null;
        };
        /** @description `bucket.set_lifecycle` */
        LifecycleSet: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
        };
        /**
         * Format: int64
         * @description A positive limit on bytes or objects, exact in JSON numbers everywhere: 1 to 2^53 − 1.
         */
        Limit: number;
        /** @description How full an account is: told when it crosses a mark, upwards or downwards. */
        LimitNotice: {
            /** @description The account. */
            account: components["schemas"]["AccountId"];
            /** @description When. */
            at: components["schemas"]["Micros"];
            /** @description The limit. */
            limit_bytes: components["schemas"]["Limit"];
            /**
             * Format: int32
             * @description The mark that it is at or above: 0, 80, 95 or 100 per cent of its storage limit.
             */
            percent: number;
            /**
             * Format: int64
             * @description Bytes in use.
             */
            used_bytes: number;
        };
        /** @description Asks what an invitation is about. */
        LookUpInvitationRequest: {
            /** @description The secret of the link, behind its `#`. */
            token: string;
        };
        /** @description Counts the objects under a prefix. */
        MeasurePrefixRequest: {
            /**
             * Format: int64
             * @description Stops after so many objects, 1 to 10,000,000; 1,000,000 when absent.
             */
            max_objects?: number | null;
            prefix?: components["schemas"]["ObjectPrefix"] | null;
        };
        /** @description Somebody in an account. */
        Member: {
            /** @description Their e-mail address. */
            email: string;
            /** @description Their role. */
            role: components["schemas"]["Role"];
            /** @description The person. */
            user: components["schemas"]["UserId"];
        };
        MemberPage: {
            /** @description The items. */
            items: components["schemas"]["Member"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /**
         * @description What a request does, by its method.
         * @enum {string}
         */
        MethodClass: "read" | "write" | "delete" | "other";
        /**
         * Format: int64
         * @description An instant: microseconds since 1970-01-01 UTC.
         */
        Micros: number;
        /** @description A month: `YYYY-MM`. */
        Month: string;
        /** @description Moves the executor's role of a region. */
        MoveExecutorRequest: {
            /** @description Who takes it: an agent of the region that is connected. */
            agent: components["schemas"]["AgentId"];
        };
        /** @description An object's key. */
        ObjectKey: string;
        /** @description How an object's key begins; `""` means every object. */
        ObjectPrefix: string;
        /** @description One intent, from request to receipt. */
        Operation: {
            /** @description Who asked. */
            actor: components["schemas"]["Actor"];
            agent?: components["schemas"]["AgentId"] | null;
            /**
             * Format: int32
             * @description How often it was signed.
             */
            attempt: number;
            /** @description The command. */
            command: string;
            finished_at?: components["schemas"]["Micros"] | null;
            gives_up_at?: components["schemas"]["Micros"] | null;
            /** @description Its id. */
            id: components["schemas"]["OperationId"];
            /** @description Where the request came from (an address), when known. */
            origin?: string | null;
            outcome?: components["schemas"]["Outcome"] | null;
            /**
             * @description The command's parameters. An object: empty when they are not known, as of an operation that
             *     came from a node's spool.
             */
            parameters?: unknown;
            progress?: components["schemas"]["Progress"] | null;
            receipt?: components["schemas"]["Envelope"] | null;
            /** @description The region. */
            region: components["schemas"]["RegionName"];
            /** @description When it was asked. */
            requested_at: components["schemas"]["Micros"];
            /** @description Its state. */
            state: components["schemas"]["OperationStatus"];
        };
        /** @description What a request for a change answers: the operation, and what came of it when it ended in time. */
        OperationAnswer: {
            bucket?: components["schemas"]["Bucket"] | null;
            key?: components["schemas"]["Key"] | null;
            /** @description The operation. */
            operation: components["schemas"]["Operation"];
            sealed?: components["schemas"]["Sealed"] | null;
        };
        /** @description One intent, from request to receipt. Never changes, however often it is signed. */
        OperationId: string;
        OperationPage: {
            /** @description The items. */
            items: components["schemas"]["Operation"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /**
         * @description How far an operation is.
         * @enum {string}
         */
        OperationStatus: "requested" | "signed" | "sent" | "accepted" | "done" | "failed" | "refused" | "expired" | "cancelled" | "unknown";
        /** @description What came of a command. */
        Outcome: {
            /** @description It did its work. */
            done: components["schemas"]["CommandResult"];
        } | {
            /** @description It was taken and ended without doing its work. */
            failed: {
                /** @description Why, as a stable code. */
                code: components["schemas"]["Failure"];
                /** @description Why, in words. */
                message: string;
            };
        } | {
            /** @description It was not taken. */
            refused: {
                /** @description Why, as a stable code. */
                code: components["schemas"]["Refusal"];
                /** @description Why, in words. */
                message: string;
            };
        };
        /** @description An account that one is in. */
        OwnAccount: {
            /** @description Its id. */
            id: components["schemas"]["AccountId"];
            /** @description Its name. */
            name: string;
            /** @description One's role in it. */
            role: components["schemas"]["Role"];
        };
        OwnAccountPage: {
            /** @description The items. */
            items: components["schemas"]["OwnAccount"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description A passkey of one's own. */
        Passkey: {
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /** @description Its id. */
            id: components["schemas"]["PasskeyId"];
            last_used_at?: components["schemas"]["Micros"] | null;
            /** @description What its person calls it. */
            name: string;
            /** @description Whether it is kept on several devices, or backed up, as it said when it was last used. */
            synced: boolean;
        };
        /** @description What the browser is asked to do with a passkey. */
        PasskeyAsked: {
            /** @description Names this request, for five minutes; it is taken once. */
            challenge: string;
            /** @description WebAuthn's options, for `navigator.credentials.create` or `.get`. */
            public_key: unknown;
        };
        /** @description A passkey. */
        PasskeyId: string;
        PasskeyPage: {
            /** @description The items. */
            items: components["schemas"]["Passkey"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description Proves with a passkey who is there. */
        PasskeyRequest: {
            /** @description Of the answer that asked for it. */
            challenge: string;
            /** @description What the browser answered. */
            credential: unknown;
        };
        /** @description `agent.ping` */
        Pong: {
            /** @description The agent's clock. */
            clock: components["schemas"]["Micros"];
            /** @description The agent's version. */
            version: string;
        };
        /** @description `bucket.measure_prefix` */
        PrefixMeasured: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /**
             * Format: int64
             * @description Their bytes.
             */
            bytes: number;
            /** @description Whether that is all of them. */
            complete: boolean;
            /**
             * Format: int64
             * @description Objects under it.
             */
            objects: number;
            /** @description How the keys begin. */
            prefix: components["schemas"]["ObjectPrefix"];
        };
        /** @description The body of every error answer. */
        Problem: {
            /** @description The error. */
            error: components["schemas"]["ProblemBody"];
        };
        /** @description An error, for people and programs. */
        ProblemBody: {
            /** @description A stable code, such as `name_taken`. */
            code: string;
            /** @description What happened, what was kept, what to do: one or two sentences. */
            message: string;
            /** @description The request's id, to find it in the log. */
            request: string;
        };
        /** @description How far a job is. */
        Progress: {
            /** @description When this was heard. */
            at: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description Their bytes.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Objects that are done.
             */
            objects: number;
            /**
             * Format: int64
             * @description Their bytes.
             */
            total_bytes?: number | null;
            /**
             * Format: int64
             * @description Objects in all, as they were counted at its start.
             */
            total_objects?: number | null;
        };
        /** @description `bucket.set_quota` */
        QuotaSet: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
        };
        /** @description `account.set_quotas` */
        QuotasSet: {
            /** @description The account. */
            account: components["schemas"]["AccountId"];
            /** @description Buckets that are no more. */
            gone: components["schemas"]["BucketId"][];
            /**
             * Format: int64
             * @description Buckets whose limits were set.
             */
            set: number;
        };
        /** @description Proves again who is there, before something dangerous. */
        ReauthenticateRequest: {
            /** @description A code of the second factor, where one is on. */
            code?: string | null;
            /** @description The password. */
            password?: string | null;
        };
        ReceiptPage: {
            /** @description The items. */
            items: components["schemas"]["ReceiptRecord"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description One receipt, as the agent signed it. */
        ReceiptRecord: {
            /** @description The account. */
            account: components["schemas"]["AccountId"];
            /**
             * Format: int64
             * @description Its place in the account's chain on this agent.
             */
            account_sequence: number;
            /** @description The agent. */
            agent: components["schemas"]["AgentId"];
            /** @description The operation. */
            operation: components["schemas"]["OperationId"];
            /** @description The signed receipt. */
            receipt: components["schemas"]["Envelope"];
            /**
             * Format: int64
             * @description Its place in the agent's chain; only operators see it gapless.
             */
            sequence: number;
        };
        /** @description Recovery codes, each for one sign-in without the authenticator app. Shown this once. */
        RecoveryCodes: {
            /** @description The codes. */
            recovery_codes: string[];
        };
        /**
         * @description Why an agent did not take an envelope. Garage was not called.
         * @enum {string}
         */
        Refusal: "Oversized" | "Malformed" | "DuplicateKey" | "UnknownField" | "TrailingData" | "WrongPayloadType" | "BadSignature" | "UnsupportedVersion" | "WrongAudience" | "OldEpoch" | "IntentConflict" | "Expired" | "NotYetValid" | "Replayed" | "Busy" | "UnknownCommand" | "DisabledCommand" | "BadParameters" | "SealKeyRequired" | "NotYours" | "LimitReached";
        /** @description A region. */
        Region: {
            /** @description Whether the executor is connected. */
            connected: boolean;
            /**
             * Format: int64
             * @description The executor epoch.
             */
            epoch: number;
            executor?: components["schemas"]["AgentId"] | null;
            /** @description Its name. */
            name: components["schemas"]["RegionName"];
            /** @description Where S3 is spoken. */
            s3_endpoint: string;
            /** @description The S3 region name that requests are signed for. */
            s3_region: string;
            /** @description Why the executor takes no change at the moment, in its words. */
            trouble?: string | null;
            /** @description The domain under which websites appear. */
            website_domain?: string | null;
        };
        /** @description What a cluster says of its health. */
        RegionHealth: {
            health?: components["schemas"]["ClusterHealth"] | null;
            /** @description The operation. */
            operation: components["schemas"]["Operation"];
        };
        /** @description A region's name. */
        RegionName: string;
        RegionPage: {
            /** @description The items. */
            items: components["schemas"]["Region"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description Calls an account something else. */
        RenameAccountRequest: {
            /** @description What to call it: 1 to 64 characters. */
            name: string;
        };
        /** @description Calls a key something else. */
        RenameKeyRequest: {
            /** @description Its new label. */
            label: components["schemas"]["KeyLabel"];
        };
        /** @description Calls a passkey something else. */
        RenamePasskeyRequest: {
            /** @description What to call it: 1 to 64 characters. */
            name: string;
        };
        /** @description Requests to a bucket over time. */
        RequestsPage: {
            /**
             * @description Whether requests are counted in its region at all, which needs a proxy's access log. Where
             *     they are not, there are no points, and that says nothing.
             */
            configured: boolean;
            /** @description The counts, oldest first; a step without requests has none. */
            points: components["schemas"]["RequestsPoint"][];
        };
        /** @description Requests of one kind in one step. */
        RequestsPoint: {
            /** @description When the step begins. */
            at: components["schemas"]["Micros"];
            /** @description What they did. */
            method: components["schemas"]["MethodClass"];
            /**
             * Format: int64
             * @description Bytes that came in their bodies; nginx's combined format does not tell them.
             */
            received_bytes: number;
            /**
             * Format: int64
             * @description How many.
             */
            requests: number;
            /**
             * Format: int64
             * @description Bytes that were sent in answer.
             */
            sent_bytes: number;
            /**
             * Format: int32
             * @description The hundreds of their HTTP status: 1 to 5.
             */
            status: number;
        };
        /** @description Sets a new password with the secret of such a link. */
        ResetPasswordRequest: {
            /** @description The new password: 8 to 1,024 bytes. */
            password: string;
            /** @description The secret of the link, behind its `#`. */
            token: string;
        };
        /** @description Replaces a key that others may have. */
        RevokeLeakedRequest: {
            label?: components["schemas"]["KeyLabel"] | null;
            /** @description Where the secret is sealed to. */
            seal_to: components["schemas"]["SealKey"];
        };
        /**
         * @description A role in an account.
         * @enum {string}
         */
        Role: "viewer" | "member" | "admin" | "owner";
        /** @description Asks to replace a key. */
        RotateKeyRequest: {
            /**
             * Format: int32
             * @description Seconds that the old key keeps working.
             */
            grace_seconds: number;
            label?: components["schemas"]["KeyLabel"] | null;
            /** @description Where the secret is sealed to. */
            seal_to: components["schemas"]["SealKey"];
        };
        /** @description What a CORS or lifecycle rule is called. */
        RuleName: string;
        /** @description What an API token may: `*`, all of a noun (`bucket.*`), or one thing (`bucket.read`). */
        Scope: string;
        /**
         * Format: byte
         * @description An X25519 public key that secrets are sealed to.
         */
        SealKey: string;
        /** @description A sealed secret. */
        Sealed: {
            /** @description The ciphertext with its tag. */
            ciphertext: components["schemas"]["Base64"];
            /** @description HPKE's encapsulated key. */
            encapsulated: components["schemas"]["Base64"];
            /** @description The key that the secret belongs to. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description A second factor that is asked for. */
        SecondFactor: {
            /** @description Names this sign-in, for five minutes. */
            challenge: string;
            /** @description What is taken: `totp`, `recovery_code`; `passkey`: whoever has one can begin anew with it. */
            methods: string[];
        };
        /** @description What a sign-in still wants. */
        SecondFactorAsked: {
            /** @description The second factor. */
            second_factor: components["schemas"]["SecondFactor"];
        };
        /** @description Finishes a sign-in. */
        SecondFactorRequest: {
            /** @description Of the answer to its first step. */
            challenge: string;
            /** @description Six digits of the authenticator app, or a recovery code. */
            code: string;
        };
        /** @description Something that an operator should see: a failed sign-in, an agent that was turned away, a role that moved. */
        SecurityEvent: {
            /** @description When. */
            at: components["schemas"]["Micros"];
            /** @description In words. */
            detail: string;
            /** @description Its id. */
            id: components["schemas"]["SecurityEventId"];
            /** @description What, as a stable name: `sign_in_failed`, `agent_quarantined`, … */
            kind: string;
            /** @description The address that it came from. */
            origin?: string | null;
            /** @description Who or what it is about: an address, or the id of an agent or token, or a region's name. */
            subject?: string | null;
        };
        /** @description Something that an operator should see. */
        SecurityEventId: string;
        SecurityEventPage: {
            /** @description The items. */
            items: components["schemas"]["SecurityEvent"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description A session of one's own. */
        Session: {
            /** @description When it was begun. */
            created_at: components["schemas"]["Micros"];
            /** @description Whether it is the one that asks. */
            current: boolean;
            /** @description When it ends, unless it is used before. */
            expires_at: components["schemas"]["Micros"];
            /** @description Its id. */
            id: components["schemas"]["SessionId"];
            /** @description How it was begun: `password`, or another way to sign in. */
            method: string;
            /** @description The address that it was begun from. */
            origin?: string | null;
            seen_at?: components["schemas"]["Micros"] | null;
            /** @description What the browser or program called itself then. */
            user_agent?: string | null;
        };
        /** @description A session (not its secret). */
        SessionId: string;
        SessionPage: {
            /** @description The items. */
            items: components["schemas"]["Session"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description Sets all CORS rules of a bucket. */
        SetCorsRequest: {
            /** @description The rules; none lets no page in. At most 100, in 12 KiB of JSON. */
            rules: components["schemas"]["CorsRule"][];
        };
        /** @description Sets a key's rights on a bucket to exactly these. */
        SetGrantRequest: {
            /** @description Delete the bucket; change its CORS, website and lifecycle. */
            owner: boolean;
            /** @description List and read objects. */
            read: boolean;
            /** @description Write and delete objects. */
            write: boolean;
        };
        /** @description Sets when a key ends. */
        SetKeyExpiryRequest: {
            expires_at?: components["schemas"]["Micros"] | null;
        };
        /** @description Sets all lifecycle rules of a bucket. */
        SetLifecycleRequest: {
            /** @description The rules; without any, nothing is deleted by itself. At most 100, in 12 KiB of JSON. */
            rules: components["schemas"]["LifecycleRule"][];
        };
        /** @description Sets both limits of a bucket; an absent one is lifted. */
        SetQuotaRequest: {
            quota_bytes?: components["schemas"]["Limit"] | null;
            quota_objects?: components["schemas"]["Limit"] | null;
        };
        /** @description Gives somebody a role. */
        SetRoleRequest: {
            /** @description The role. */
            role: components["schemas"]["Role"];
        };
        /** @description Shows a bucket as a website, or stops that. */
        SetWebsiteRequest: {
            website?: components["schemas"]["Website"] | null;
        };
        /**
         * @description A part of a bucket's settings.
         * @enum {string}
         */
        Setting: "quota" | "cors" | "lifecycle" | "website" | "grants";
        /** @description One set of a bucket's settings. */
        SettingsValue: {
            /** @description CORS rules. */
            cors: components["schemas"]["CorsRule"][];
            /** @description Rights of the account's keys, temporary ones aside. */
            grants: components["schemas"]["BucketGrant"][];
            /** @description Lifecycle rules. */
            lifecycle: components["schemas"]["LifecycleRule"][];
            quota_bytes?: components["schemas"]["Limit"] | null;
            quota_objects?: components["schemas"]["Limit"] | null;
            website?: components["schemas"]["Website"] | null;
        };
        /** @description What answers a sign-in. */
        SignInAnswer: components["schemas"]["SecondFactorAsked"] | components["schemas"]["Whoami"];
        /** @description What somebody can sign in with. */
        SignInMethods: {
            /**
             * Format: int32
             * @description How many passkeys there are.
             */
            passkeys?: number;
            /** @description Whether a password is set. */
            password: boolean;
            /**
             * Format: int32
             * @description Recovery codes that are left.
             */
            recovery_codes: number;
            totp_since?: components["schemas"]["Micros"] | null;
        };
        /** @description A company's own provider that its people sign in at: `GET /api/v1/oidc/{name}/start`, in a browser. */
        SignInProvider: {
            /** @description Its name. */
            name: string;
            /** @description What a button says that leads there. */
            title: string;
        };
        /** @description Signs in. */
        SignInRequest: {
            /** @description The e-mail address. */
            email: string;
            /** @description The password. */
            password: string;
        };
        /** @description Asks for an account of one's own. */
        SignUpRequest: {
            /** @description The e-mail address that the link goes to. */
            email: string;
            /** @description What to call the account. */
            name: string;
        };
        /**
         * Format: byte
         * @description An Ed25519 signature.
         */
        SignatureBytes: string;
        /** @description A bucket or key in a cluster that belongs to no account. */
        Stray: {
            bucket?: components["schemas"]["BucketId"] | null;
            /**
             * Format: int64
             * @description Bytes in whole objects of the bucket.
             */
            bytes?: number | null;
            /** @description Accounts whose keys own the bucket. */
            claimed_by: components["schemas"]["AccountId"][];
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            /** @description Whether an operator has said to leave it alone. */
            ignored: boolean;
            key?: components["schemas"]["AccessKeyId"] | null;
            /** @description Its name: a bucket's first one, or what a key is called. */
            name?: string | null;
            /**
             * Format: int64
             * @description Objects of the bucket.
             */
            objects?: number | null;
            /** @description Its region. */
            region: components["schemas"]["RegionName"];
        };
        StrayPage: {
            /** @description The items. */
            items: components["schemas"]["Stray"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description Suspends an account. */
        SuspendAccountRequest: {
            /** @description Why, for its people: 1 to 500 characters. */
            reason: string;
        };
        /** @description Goes on in another account. */
        SwitchAccountRequest: {
            /** @description Which; one that one is in. */
            account: components["schemas"]["AccountId"];
        };
        /** @description `key.create_temporary` */
        TemporaryKeyCreated: {
            /** @description When it ends. */
            expires_at: components["schemas"]["Micros"];
            /** @description The new key. */
            key: components["schemas"]["AccessKeyId"];
        };
        /** @description An API token, without its secret. */
        Token: {
            /** @description With these buckets alone; with all of the account's when absent. */
            buckets?: components["schemas"]["BucketId"][] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Micros"];
            expires_at?: components["schemas"]["Micros"] | null;
            /** @description Its id. */
            id: components["schemas"]["TokenId"];
            last_used_at?: components["schemas"]["Micros"] | null;
            /** @description What a person calls it. */
            name: string;
            /** @description What it may, of what its maker may: names of docs/access.md, or `bucket.*`, or `*`. */
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A new API token. The secret is shown this once. */
        TokenCreated: {
            /** @description The secret, beginning with `sbt_`. */
            secret: string;
            /** @description The token. */
            token: components["schemas"]["Token"];
        };
        /** @description An API token (not its secret). */
        TokenId: string;
        TokenPage: {
            /** @description The items. */
            items: components["schemas"]["Token"][];
            /** @description Give this as `cursor` for the next page; absent on the last. */
            next_cursor?: string | null;
        };
        /** @description An authenticator app to set up. Shown this once. */
        TotpBegun: {
            /** @description A picture of that address, as SVG. */
            qr_svg: string;
            /** @description The secret, in base 32. */
            secret: string;
            /** @description All that the app needs, as an `otpauth:` address. */
            uri: string;
        };
        /** @description Makes somebody else an owner in one's place. */
        TransferAccountRequest: {
            /** @description Who it is to be, a member already. */
            user: components["schemas"]["UserId"];
        };
        /** @description All that a client needs to verify receipts. */
        TrustBundle: {
            /** @description A statement for each agent that ever signed a receipt. */
            agents: components["schemas"]["Envelope"][];
            /** @description The root key: compare its digest with the one that was written down at first start. */
            root_key: components["schemas"]["VerifyKey"];
            /** @description The trust document. */
            trust: components["schemas"]["Envelope"];
        };
        /** @description `bucket.cleanup_uploads` */
        UploadsCleaned: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
            /**
             * Format: int64
             * @description Unfinished uploads that were removed.
             */
            uploads: number;
        };
        /** @description Use over time. */
        Usage: {
            /** @description Whether the points count requests, which needs a proxy's access log and hours or days. */
            has_requests: boolean;
            /** @description The points, oldest first. */
            points: components["schemas"]["UsagePoint"][];
            /**
             * Format: int32
             * @description Seconds from one point to the next; 0: a point for each change.
             */
            step_seconds: number;
        };
        /** @description A month's use for billing: an account's buckets, then the account as a whole. */
        UsageExport: {
            /** @description The account. */
            account: components["schemas"]["AccountId"];
            /** @description One row a bucket that was there in the month, by region and id. */
            buckets: components["schemas"]["UsageRow"][];
            /** @description Whether the month has ended; figures of one that has not still grow. */
            complete: boolean;
            /** @description The month. */
            month: components["schemas"]["Month"];
            /** @description The whole account. */
            total: components["schemas"]["UsageRow"];
        };
        /** @description Use in one step. */
        UsagePoint: {
            /** @description When the step begins. */
            at: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description Bytes times hours, unfinished uploads included, rounded down in each hour.
             */
            byte_hours: number;
            /**
             * Format: int64
             * @description Bytes in whole objects at the step's end.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Objects at the step's end.
             */
            objects: number;
            /**
             * Format: int64
             * @description The most bytes at any time in the step, unfinished uploads included.
             */
            peak_bytes: number;
            /**
             * Format: int64
             * @description Requests; absent where none are counted.
             */
            requests?: number | null;
            /**
             * Format: int64
             * @description Bytes that were sent; absent where none are counted.
             */
            sent_bytes?: number | null;
            /**
             * Format: int64
             * @description Bytes in unfinished uploads at the step's end.
             */
            unfinished_bytes: number;
        };
        /** @description A month's use of one bucket, or of an account. */
        UsageRow: {
            bucket?: components["schemas"]["BucketId"] | null;
            /**
             * Format: int64
             * @description Bytes times hours, unfinished uploads included, rounded down in each hour.
             */
            byte_hours: number;
            name?: components["schemas"]["BucketName"] | null;
            /**
             * Format: int64
             * @description The most bytes at any time.
             */
            peak_bytes: number;
            region?: components["schemas"]["RegionName"] | null;
            /**
             * Format: int64
             * @description Requests; absent where none are counted.
             */
            requests?: number | null;
            /**
             * Format: int64
             * @description Bytes that were sent; absent where none are counted.
             */
            sent_bytes?: number | null;
        };
        /** @description Names who asks to be let in. */
        UserCodeRequest: {
            /** @description The code that the program shows; case, spaces and hyphens do not matter. */
            user_code: string;
        };
        /** @description A person. */
        UserId: string;
        /**
         * Format: byte
         * @description An Ed25519 public key.
         */
        VerifyKey: string;
        /**
         * @description The way a request came.
         * @enum {string}
         */
        Via: "web" | "cli" | "api" | "offline" | "system";
        /** @description How a bucket is shown as a website under its name. */
        Website: {
            error_document?: components["schemas"]["ObjectKey"] | null;
            /** @description The object that stands for a folder, such as `index.html`. */
            index_document: components["schemas"]["DocumentName"];
        };
        /** @description `bucket.set_website` */
        WebsiteSet: {
            /** @description The bucket. */
            bucket: components["schemas"]["BucketId"];
        };
        /** @description The signed-in person. */
        Whoami: {
            /** @description The account in use. */
            account: components["schemas"]["AccountId"];
            /** @description The account's name. */
            account_name: string;
            /** @description Their e-mail address. */
            email: string;
            /** @description Whether they run the platform. */
            operator: boolean;
            /** @description Their role in it. */
            role: components["schemas"]["Role"];
            /** @description The person. */
            user: components["schemas"]["UserId"];
        };
    };
    responses: {
        /** @description `bad_request`: the message names the field */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `forbidden`, `cross_site` */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `internal` */
        Internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_signed_in`, `bad_token` */
        NotSignedIn: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited`: too much at once; see Retry-After */
        RateLimited: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `too_large` */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `too_slow`: the body did not arrive in time */
        TooSlow: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `timeout`, `busy`: as much waits as may; see Retry-After */
        Unavailable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_media_type` */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_about: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["About"];
                };
            };
            400: components["responses"]["BadRequest"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_account_cancel_close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: an operator closes it */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_active`, `too_late` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_account_close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `has_operator`: somebody who runs the platform is in it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_account_leave: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `last_owner` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_account_name: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameAccountRequest"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_account_transfer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferAccountRequest"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_member` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_accounts: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_accounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateAccountRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_accounts_own: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OwnAccountPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_accounts_account: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_accounts_account_cancel_close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_active`, `account_suspended`, `account_closed`, `too_late` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_accounts_account_close: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_closing`, `account_closed`, `has_operator` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_accounts_account_limits: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountLimits"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_accounts_account_resume: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_active`, `account_closing`, `account_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_accounts_account_suspend: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                account: components["schemas"]["AccountId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SuspendAccountRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `account_closing`, `account_closed` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_agents: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_agents_enrol_tokens: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolTokenPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_agents_enrol_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateEnrolTokenRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EnrolTokenCreated"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_agents_agent_end_quarantine: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: components["schemas"]["AgentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Let in again */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_agent` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_quarantined` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_agents_agent_lost: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: components["schemas"]["AgentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its operations are not unknown any more */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentLost"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_agent` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_revoked` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_agents_agent_revoke: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent: components["schemas"]["AgentId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_agent` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_audit: {
        parameters: {
            query?: {
                /** @description Since this instant. */
                from?: components["schemas"]["Micros"];
                /** @description Before this instant. */
                to?: components["schemas"]["Micros"];
                /** @description Of this person. */
                user?: components["schemas"]["UserId"];
                /** @description What: a name, or `bucket.*`. */
                act?: components["schemas"]["Scope"];
                /** @description `done`, `failed` for all else, or a code. */
                result?: string;
                /** @description About this thing or operation. */
                thing?: string;
                /** @description Of this account; for operators, who see all accounts when it is absent. */
                account?: components["schemas"]["AccountId"];
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_audit_export: {
        parameters: {
            query?: {
                /** @description Since this instant. */
                from?: components["schemas"]["Micros"];
                /** @description Before this instant. */
                to?: components["schemas"]["Micros"];
                /** @description Of this person. */
                user?: components["schemas"]["UserId"];
                /** @description What: a name, or `bucket.*`. */
                act?: components["schemas"]["Scope"];
                /** @description `done`, `failed` for all else, or a code. */
                result?: string;
                /** @description About this thing or operation. */
                thing?: string;
                /** @description Of this account; for operators, who see all accounts when it is absent. */
                account?: components["schemas"]["AccountId"];
                /** @description How it is written; JSON Lines when absent. */
                format?: "jsonl" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/jsonl": string;
                    "text/csv": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_buckets: {
        parameters: {
            query?: {
                /** @description Only those in this region. */
                region?: components["schemas"]["RegionName"];
                /** @description Only those with exactly this name. */
                name?: components["schemas"]["BucketName"];
                /** @description With `name` or `drift`: whoever's they are. For operators. */
                everyones?: boolean;
                /** @description Only those whose settings or rights are not as asked for. */
                drift?: boolean;
                /**
                 * @description Those that vanished within 90 days without having been asked to, instead of those that there
                 *     are.
                 */
                vanished?: boolean;
                /** @description The largest first, instead of by name. */
                largest?: boolean;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BucketPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateBucketRequest"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_buckets_bucket: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Bucket"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_buckets_bucket: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_accept: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BucketSettings"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_adopt: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AdoptRequest"];
            };
        };
        responses: {
            /** @description Given */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_aliases: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddAliasRequest"];
            };
        };
        responses: {
            /** @description Given */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    delete_buckets_bucket_aliases_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
                name: components["schemas"]["BucketName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken away */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_cleanup_uploads: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CleanupUploadsRequest"];
            };
        };
        responses: {
            /** @description Removed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_clear: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    put_buckets_bucket_cors: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetCorsRequest"];
            };
        };
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_cors_check: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckCorsRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CorsVerdict"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_buckets_bucket_grants: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_buckets_bucket_grants_key: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetGrantRequest"];
            };
        };
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    put_buckets_bucket_lifecycle: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetLifecycleRequest"];
            };
        };
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_measure: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MeasurePrefixRequest"];
            };
        };
        responses: {
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    put_buckets_bucket_quota: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetQuotaRequest"];
            };
        };
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_release: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_buckets_bucket_requests: {
        parameters: {
            query?: {
                /**
                 * @description From the step in which this instant lies, in microseconds UTC; 24 hours, or 30 days, before `to`
                 *     when absent.
                 */
                from?: number;
                /**
                 * @description Until before this instant, in microseconds UTC; now when absent. At most 1,000 steps after
                 *     `from`.
                 */
                to?: number;
                /** @description How long each step is; an hour when absent. */
                step?: "hour" | "day";
            };
            header?: never;
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestsPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_buckets_bucket_restore: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_buckets_bucket_settings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BucketSettings"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_buckets_bucket_website: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                bucket: components["schemas"]["BucketId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetWebsiteRequest"];
            };
        };
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_device_authorizations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BeginDeviceRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceCodes"];
                };
            };
            400: components["responses"]["BadRequest"];
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many wait; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_device_authorizations_approve: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCodeRequest"];
            };
        };
        responses: {
            /** @description The program may fetch its token */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `reauthenticate`: prove first who you are */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_code` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_device_authorizations_deny: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCodeRequest"];
            };
        };
        responses: {
            /** @description It gets nothing */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_code` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_device_authorizations_look_up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCodeRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAuthorization"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_code` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_device_authorizations_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeviceTokenRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenCreated"];
                };
            };
            /** @description `authorization_pending` or `slow_down` */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceWaiting"];
                };
            };
            /** @description `expired_token`: the code has ended, was used or is none */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `access_denied` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `too_many_tokens` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_events: {
        parameters: {
            query?: {
                /** @description Of the operations of all accounts too. For operators. */
                everyones?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `rate_limited`: too many streams */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            /** @description `busy`: too many streams of everybody; see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_invitations: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_invitations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateInvitationRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: to a role above your own */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `too_many_invitations` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description `busy`: too many e-mails wait; see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_invitations_accept: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AcceptInvitationRequest"];
            };
        };
        responses: {
            /** @description Done; sign in */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_request`: the password is too short, too long, or too easy to guess */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `bad_credentials` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_suspended`, `account_closing`: the invitation is kept */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_invitation` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_invitations_look_up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LookUpInvitationRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationOffer"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `no_such_invitation` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_invitations_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invitation: components["schemas"]["InvitationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Withdrawn */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_invitation` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_keys: {
        parameters: {
            query?: {
                /** @description Only those in this region. */
                region?: components["schemas"]["RegionName"];
                /**
                 * @description Those that vanished within 90 days without having been asked to, instead of those that there
                 *     are.
                 */
                vanished?: boolean;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_keys: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateKeyRequest"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_keys_temporary: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTemporaryKeyRequest"];
            };
        };
        responses: {
            /** @description Made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_keys_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Key"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_keys_key: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    put_keys_key_expiry: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetKeyExpiryRequest"];
            };
        };
        responses: {
            /** @description Set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    put_keys_key_label: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameKeyRequest"];
            };
        };
        responses: {
            /** @description Renamed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_keys_key_resume: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Resumed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_keys_key_revoke_leaked: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RevokeLeakedRequest"];
            };
        };
        responses: {
            /** @description The new key was made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_keys_key_rotate: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RotateKeyRequest"];
            };
        };
        responses: {
            /** @description The new key was made */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_keys_key_suspend: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                key: components["schemas"]["AccessKeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Suspended */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_members: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_members_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: above you */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_member` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `last_owner` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_members_user_role: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetRoleRequest"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: above you */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_member` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `last_owner` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_oidc_provider_callback: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name */
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page that goes on by itself; sets the session's cookie */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A page: this browser did not begin this sign-in, or too long ago */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A page: not let in, and why */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A page: there is no such provider */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            500: components["responses"]["Internal"];
            /** @description A page: the provider does not answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_oidc_provider_start: {
        parameters: {
            query?: {
                /** @description What for: `sign_in` when absent. */
                purpose?: "sign_in" | "reauthenticate";
            };
            header?: never;
            path: {
                /** @description Its name */
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the provider; a cookie remembers which browser began */
            303: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description A page: sign in first, to prove again who you are */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A page: there is no such provider */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description A page: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            500: components["responses"]["Internal"];
            /** @description A page: the provider does not answer */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_operations: {
        parameters: {
            query?: {
                /** @description Only those in this state. */
                state?: components["schemas"]["OperationStatus"];
                /** @description Whoever's they are. For operators, and without `state`. */
                everyones?: boolean;
                /** @description With `everyones`: only those that have not ended. */
                open?: boolean;
                /** @description With `everyones`: only those that failed, were refused or expired. */
                not_done?: boolean;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_operations_operation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                operation: components["schemas"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_operation` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_operations_operation_acknowledge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                operation: components["schemas"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Dropped */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_operation` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_done` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_operations_operation_cancel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                operation: components["schemas"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Cancelled, or the job stops */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description The agent has not answered yet */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: the platform's own */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_operation` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_late` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_passkeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_passkeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreatePasskeyRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Passkey"];
                };
            };
            /** @description `bad_request`; `bad_passkey`: it is none, or did not ask who you are */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `no_such_challenge`: begin again; `passkey_taken`; `too_many_passkeys`; `no_passkeys_here`; `signed_in_elsewhere` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_passkeys_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyAsked"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_passkeys_here`: the server's address is no name; `too_many_passkeys`; `signed_in_elsewhere`: at a company's own provider */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_passkeys_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                passkey: components["schemas"]["PasskeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_passkey` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `last_sign_in_method`: set a password or add another passkey first */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_passkeys_passkey_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                passkey: components["schemas"]["PasskeyId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenamePasskeyRequest"];
            };
        };
        responses: {
            /** @description Renamed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_passkey` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    put_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePasswordRequest"];
            };
        };
        responses: {
            /** @description Done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_request`: too short, too long, or too easy to guess */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `bad_credentials` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["Forbidden"];
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description You have no password */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `last_sign_in_method`: add a passkey first */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_password_forgotten: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ForgottenPasswordRequest"];
            };
        };
        responses: {
            /** @description If somebody has the address, an e-mail goes there */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            /** @description `busy`: too many e-mails wait; see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_password_reset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetPasswordRequest"];
            };
        };
        responses: {
            /** @description Done; sign in */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_request`: too short, too long, or too easy to guess */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_link` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_receipts: {
        parameters: {
            query?: {
                /** @description Only those of this agent. */
                agent?: components["schemas"]["AgentId"];
                /** @description Only those after this place in the account's chain (with `whole`, in the agent's). */
                after?: number;
                /** @description `next_cursor` of the page before: the same as `after`. */
                cursor?: number;
                /** @description The agent's chain with everybody's receipts; for operators, and with `agent`. */
                whole?: boolean;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_regions: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegionPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_regions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateRegionRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Region"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["TooSlow"];
            /** @description `region_taken` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_regions_region: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                region: components["schemas"]["RegionName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Region"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_regions_region_executor: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                region: components["schemas"]["RegionName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveExecutorRequest"];
            };
        };
        responses: {
            /** @description Moved */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_regions_region_health: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                region: components["schemas"]["RegionName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegionHealth"];
                };
            };
            /** @description No answer yet */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegionHealth"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_agent` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description The agent could not find out; the code is the failure's */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_regions_region_ping: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                region: components["schemas"]["RegionName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    post_regions_region_refresh: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and request again is the same operation. */
                "Idempotency-Key"?: string;
            };
            path: {
                region: components["schemas"]["RegionName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            /** @description It goes on; `Location` says where to look */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_region`, `no_such_bucket`, `no_such_key` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `name_taken`, `bucket_not_empty`, `no_region`, `no_agent`, `limit_reached`, `cancelled` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_conflict`: the key came before with another request */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            /** @description It ended otherwise; the code is the failure's or the refusal's, or `expired` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    get_security_events: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SecurityEventPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    /** @description The session, unless a second factor is wanted */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInAnswer"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `bad_credentials` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_account: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchAccountRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `no_session`: with an API token */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    /** @description The session */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `bad_passkey`; `no_such_challenge`: begin again */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `no_passkeys_here`: the server's address is no name */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_passkey_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyAsked"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `no_passkeys_here`: the server's address is no name */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_reauthenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReauthenticateRequest"];
            };
        };
        responses: {
            /** @description Proved */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_request`: a second factor is on and password or code is missing; or none is and there is a code */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `bad_credentials`; `bad_code` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: with an API token */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_reauthenticate_passkey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyRequest"];
            };
        };
        responses: {
            /** @description Proved */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description `bad_passkey`; `no_such_challenge`: begin again */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: with an API token */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            /** @description `no_passkeys_here`: the server's address is no name */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_reauthenticate_passkey_begin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyAsked"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_passkeys_here`: the server's address is no name */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_session_second_factor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondFactorRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    /** @description The session */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `bad_code`; `no_such_challenge`: sign in again from the start */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_sessions_end_others: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_sessions_session: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_session` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_sign_in_methods: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInMethods"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_sign_in_methods_recovery_codes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_second_factor` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_sign_in_methods_totp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpBegun"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `already_on`: turn the other one off first */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_sign_in_methods_totp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Off */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_second_factor` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_sign_in_methods_totp_confirm: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmTotpRequest"];
            };
        };
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            400: components["responses"]["BadRequest"];
            /** @description `bad_code` */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: with an API token; `reauthenticate` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_second_factor`: none was begun */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_sign_ups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignUpRequest"];
            };
        };
        responses: {
            /** @description An e-mail goes to the address */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description `sign_up_closed` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: too many tries; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            /** @description `busy`: too many e-mails wait; see Retry-After */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
        };
    };
    post_sign_ups_confirm: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConfirmSignUpRequest"];
            };
        };
        responses: {
            /** @description Done; sign in */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            /** @description `sign_up_closed` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_such_link` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `rate_limited`: enough accounts were made today; the link stays good */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_strays: {
        parameters: {
            query?: {
                /** @description Only those in this region. */
                region?: components["schemas"]["RegionName"];
                /** @description Only those that are to be left alone, or only the others; both when absent. */
                ignored?: boolean;
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StrayPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_strays_ignore: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IgnoreStrayRequest"];
            };
        };
        responses: {
            /** @description Noted */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stray"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_stray` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["TooSlow"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_tokens: {
        parameters: {
            query?: {
                /** @description `next_cursor` of the page before. */
                cursor?: string;
                /** @description Items on a page; 100 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    post_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTokenRequest"];
            };
        };
        responses: {
            /** @description As asked */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenCreated"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["TooSlow"];
            /** @description `too_many_tokens` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    delete_tokens_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: components["schemas"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_token` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_trust: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TrustBundle"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_usage: {
        parameters: {
            query?: {
                /** @description Of this bucket; of all together when absent. */
                bucket?: components["schemas"]["BucketId"];
                /** @description From this instant; 7 days before the end when absent. */
                from?: components["schemas"]["Micros"];
                /** @description To this instant; now when absent. */
                to?: components["schemas"]["Micros"];
                /** @description From one point to the next; an hour for up to 14 days when absent, else a day. */
                step?: "change" | "hour" | "day";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Usage"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_bucket` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_usage_export: {
        parameters: {
            query?: {
                /** @description The month, such as 2026-11; the present one when absent. */
                month?: components["schemas"]["Month"];
                /** @description How it is written; JSON when absent. */
                format?: "json" | "csv";
                /** @description Of this account; for operators. */
                account?: components["schemas"]["AccountId"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageExport"];
                    "text/csv": string;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            /** @description `no_such_account` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
    get_whoami: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As asked */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Whoami"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["NotSignedIn"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["Internal"];
            503: components["responses"]["Unavailable"];
        };
    };
}
