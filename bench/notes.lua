-- SPDX-License-Identifier: MIT
--
-- For wrk, with as many threads as connections: asks the notes service for
-- all its tenants by turns, and looks at every note that it gets. A note says
-- whose it is, by its title; each tenant has ten or more.

local TENANTS, NOTES = 100, 10
local threads = {}
local turn, asked

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init()
    turn = number * 7919
    checked, wrong = 0, 0
end

local function send(method, path, body)
    return wrk.format(method, path, {["X-Tenant"] = asked}, body)
end

local function create()
    return send("POST", "/notes",
                string.format('{"title":"%s","text":"%d"}', asked, turn))
end

function request()
    turn = turn + 1
    asked = "tenant" .. turn % TENANTS
    local kind = math.floor(turn / TENANTS) % 10
    if kind < 2 then
        return create()
    elseif kind < 3 then
        return send("GET", "/notes")
    end
    return send("GET", "/notes/" .. turn % NOTES + 1)
end

function response(status, _, body)
    local titles = 0
    for title in body:gmatch('"title":"(.-)"') do
        titles = titles + 1
        if title ~= asked then
            wrong = wrong + 1
        end
    end
    checked = checked + 1
    if titles == 0 or status ~= 200 and status ~= 201 then
        wrong = wrong + 1
    end
end

function done(_, latency)
    local all = {checked = 0, wrong = 0}
    for _, thread in ipairs(threads) do
        for name in pairs(all) do
            all[name] = all[name] + thread:get(name)
        end
    end
    print("checked " .. all.checked)
    print("wrong " .. all.wrong)
    print("p50 " .. latency:percentile(50))
    print("p99 " .. latency:percentile(99))
end
