-- SPDX-License-Identifier: MIT
--
-- For wrk: each request has an id of its own, in a header and in its body,
-- and each answer must have one that was asked for and not yet answered, in
-- both. Every 16th request is a POST, for which the server asks a pool too.

local next_id = 0
local asked = {}
local threads = {}

checked = 0
wrong = 0

function setup(thread)
    table.insert(threads, thread)
end

function request()
    local id = string.format("id-%d", next_id)
    local method = next_id % 16 == 0 and "POST" or "PUT"

    next_id = next_id + 1
    asked[id] = true
    return wrk.format(method, "/", {["X-Request-Id"] = id}, id)
end

function response(status, headers, body)
    local id = headers["X-Request-Id"]

    checked = checked + 1
    if status ~= 200 or id ~= body or not asked[body] then
        wrong = wrong + 1
    end
    asked[body] = nil
end

function done()
    local sums = {checked = 0, wrong = 0}

    for _, thread in ipairs(threads) do
        for name, sum in pairs(sums) do
            sums[name] = sum + thread:get(name)
        end
    end
    for name, sum in pairs(sums) do
        print(name .. " " .. sum)
    end
end
