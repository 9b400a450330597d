-- Ends a run of wrk with one line of figures. With the argument `graphql` every request is another one: each
-- asks for another page, so that nothing between client and backend could share an answer.

local DOCUMENT = "query($page: Int!) { posts(page: $page) { id title user { id name } } }"

function init(args)
    if args[1] ~= "graphql" then
        return
    end
    local page = 0
    request = function()
        page = page + 1
        local body = '{"query":"' .. DOCUMENT .. '","variables":{"page":' .. page .. "}}"
        return wrk.format("POST", nil, { ["content-type"] = "application/json" }, body)
    end
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("\nfigures %d %d %d %d %d\n", summary.requests, summary.duration, failed,
        latency:percentile(50), latency:percentile(99)))
end
