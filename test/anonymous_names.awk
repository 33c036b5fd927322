# Prints "NAME FILE" for each function in an anonymous namespace. Used by test/rules.sh.
FNR == 1 { within = 0 }
/^namespace \{/ { within = 1 }
/^\} \/\/ namespace$/ { within = 0 }
within && /^(template <.*> )?[A-Za-z_[][^=;]*[ &*>][a-z_0-9]+\(.*[{,(]$/ && !/^(struct|class|enum|using|return|if|for|while|else|switch|case)/ {
    line = $0
    sub(/\(.*/, "", line)
    count = split(line, words, /[ &*>]/)
    if (words[count] != "") print words[count], FILENAME
}
